import GradientTransformations
import PrivacyMechanisms
import PyTrees

/// Any optimizer with a transform of your own before clipping: fixed in advance, or made from the optimizer's state.
///
///     let scaled = try PreClipping(sgd(learningRate: 0.1), scale: publicScale)
///     let projected = PreClipping(
///         try adam(learningRate: 1e-3), transform: LinearProjection(layout, dimensions: 64, seed: 1))
///     let own = PreClipping(try adam(learningRate: 1e-3)) { state, _ in try DiagonalTransform(scale: myScale(state)) }
///
/// The base takes T⁻¹ of the noisy gradient. ``ScaleThenPrivatize`` is the scale from a second moment, with its
/// remedies.
///
/// **Guarantee:** the closure sees the base's state alone, which is made of public numbers and of earlier noisy
/// gradients. It must not look at anything that depends on the data: a scale that does, does not cost accuracy but
/// privacy.
public struct PreClipping<Base: GradientTransformation, Transform: PreClippingTransform>:
    AugmentedGradientTransformation
{
    /// `pre_clipping(…)`.
    public static var identifier: String { "pre_clipping(\(Base.identifier))" }

    /// Makes the transform of the next step from the base's state and the layout of the parameters.
    public typealias Maker =
        @Sendable (_ state: Base.State, _ layout: TreeLayout) throws(PrivacyMechanismError) -> Transform

    /// What takes the noisy gradient, after the transform was undone.
    public let base: Base

    private let makeTransform: Maker

    /// Transforms gradients by what `transform` makes of the base's state before each step.
    public init(_ base: Base, transform: @escaping Maker) {
        self.base = base
        makeTransform = transform
    }

    /// Transforms gradients by the same map in every step.
    public init(_ base: Base, transform: Transform) {
        self.init(base) { _, _ in transform }
    }

    /// The base's state.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> Base.State {
        try base.initialState(for: parameters)
    }

    /// What the closure makes of the state. Throws what it throws.
    public func preClippingTransform(
        for state: Base.State, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> Transform {
        try makeTransform(state, layout)
    }

    /// Takes the transform back, and updates by the base.
    public func update(
        _ gradient: consuming TransformedGradient<Transform>, state: inout Base.State, parameters: ParameterVector
    ) -> ParameterVector {
        gradient.updates(for: parameters) { base.join(&$0, state: &state, then: $1) }
    }

    /// Takes the transform back, and steps by the base.
    public func step(
        _ gradient: consuming TransformedGradient<Transform>, state: inout Base.State,
        parameters: inout ParameterVector
    ) {
        gradient.step(&parameters) { base.join(&$0, state: &state, then: $1) }
    }
}

extension PreClipping where Transform == DiagonalTransform {
    /// Multiplies gradients by the same public scale in every step.
    ///
    /// Throws `invalidScale` if an element of `scale` is not a positive, finite number.
    public init(_ base: Base, scale: ParameterVector) throws(PrivacyMechanismError) {
        self.init(base, transform: try DiagonalTransform(scale: scale))
    }
}
