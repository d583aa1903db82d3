import GradientTransformations
import PrivacyMechanisms
import PyTrees

/// An optimizer that says, from its own state, how per-example gradients are transformed before they are clipped.
///
///     u_i = T(g_i),  y = Σ clip(u_i) / N + noise,  ĝ = T⁻¹(y),  parameters += base.update(ĝ)
///
/// `update` and `step` take the *noisy, transformed* gradient y, undo T with the state they are given, and hand the
/// result to the base optimizer. The transformed space may have another layout than the parameters; the updates that
/// come out have the parameters' layout.
/// ``privateStep(on:padding:state:parameters:clipping:noiseMultiplier:noise:workspace:)`` does all of it, with T and
/// T⁻¹ from one state. As a link of a chain, such a transformation would still want the transformed gradient, and the
/// chain would not say so: chain the links inside, `ScaleThenPrivatize(chain { … })`.
///
/// **Guarantee:** the transform depends on the state before the step alone, which is made of public numbers and of
/// earlier noisy gradients; clipping and noise happen in the transformed space, and everything after is
/// post-processing. A type that conforms must not let raw gradients into its state.
///
/// Source: arXiv 2507.01129, section 4 (scale-then-privatize is the diagonal case).
public protocol AugmentedGradientTransformation<State>: GradientTransformation {
    /// The kind of transform.
    associatedtype Transform: PreClippingTransform

    /// The transform for the next step's per-example gradients.
    ///
    /// Throws if the state allows none: a scale, for example, that noise has driven to infinity.
    ///
    /// - Parameter layout: the layout of the parameters.
    func preClippingTransform(
        for state: State, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> Transform
}

/// Any transformation, augmented with the identity: gradients are clipped as they are.
public struct IdentityAugmented<Base: GradientTransformation>: AugmentedGradientTransformation {
    /// What takes the noisy gradient.
    public let base: Base

    init(_ base: Base) { self.base = base }

    /// As the base.
    public static var isElementwise: Bool { Base.isElementwise }

    /// The base's state.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> Base.State {
        try base.initialState(for: parameters)
    }

    /// Updates by the base.
    public func update(_ updates: inout ParameterVector, state: inout Base.State, parameters: ParameterVector) {
        base.update(&updates, state: &state, parameters: parameters)
    }

    /// Lets the base join.
    public func join(_ pass: inout UpdatePass, state: inout Base.State, then next: (inout UpdatePass) -> Void) {
        base.join(&pass, state: &state, then: next)
    }

    /// The identity on gradients of `layout`.
    public func preClippingTransform(
        for state: Base.State, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> IdentityTransform {
        IdentityTransform(layout: layout)
    }
}

extension IdentityAugmented: Equatable where Base: Equatable {}
extension IdentityAugmented: Decodable where Base: Decodable {}
extension IdentityAugmented: Encodable where Base: Encodable {}

/// Augments any transformation with the identity: the usual private training, by any optimizer.
///
///     let optimizer = augmented(try sgd(learningRate: 0.1))
public func augmented<Base: GradientTransformation>(_ base: Base) -> IdentityAugmented<Base> {
    IdentityAugmented(base)
}

/// An augmented transformation is what it is: augmenting twice changes nothing.
public func augmented<Optimizer: AugmentedGradientTransformation>(_ optimizer: Optimizer) -> Optimizer {
    optimizer
}
