import GradientTransformations
import PrivacyMechanisms
import PyTrees

/// An optimizer that says, from its own state, how per-example gradients are transformed before they are clipped.
///
///     u_i = T(g_i),  y = Σ clip(u_i) / N + noise,  ĝ = T⁻¹(y),  parameters += base.update(ĝ)
///
/// It takes the *noisy, transformed* gradient y, which brings T with it, and hands ĝ to a base optimizer. The
/// transformed space may have another layout than the parameters; the updates have the parameters' layout.
/// `privateStep(on:padding:state:parameters:clipping:noiseMultiplier:noise:workspace:)` does all of it. An augmented
/// transformation is not a link of a chain, which would hand it a gradient that is not transformed: chain the links
/// inside, `ScaleThenPrivatize(chain { … })`. Wherever one is expected, an ordinary optimizer is accepted, too, and is
/// then augmented with the identity.
///
/// To write one of your own, say what the transform is and what becomes of the gradient; ``PreClipping`` does so for
/// any base and any transform that is made from the base's state:
///
///     func update(
///         _ gradient: consuming TransformedGradient<DiagonalTransform>, state: inout State,
///         parameters: ParameterVector
///     ) -> ParameterVector {
///         var updates = gradient.inverted().vector
///         base.update(&updates, state: &state.base, parameters: parameters)
///         return updates
///     }
///
/// **Guarantee:** the transform depends on the state before the step alone, which is made of public numbers and of
/// earlier noisy gradients; clipping and noise happen in the transformed space, and everything after is
/// post-processing. A type that conforms must not let raw gradients into its state.
///
/// Source: arXiv 2507.01129, section 4 (scale-then-privatize is the diagonal case).
public protocol AugmentedGradientTransformation<State>: Sendable {
    /// What is remembered from step to step.
    associatedtype State: Codable & Sendable

    /// The kind of transform.
    associatedtype Transform: PreClippingTransform

    /// The name by which checkpoints tell whose state they hold; see
    /// ``/GradientTransformations/GradientTransformation/identifier``.
    static var identifier: String { get }

    /// For how many steps a transform stays as it is, counted from the first step; nil where that is not known, and by
    /// default. Noise that is correlated over steps allows another transform only where its strategy begins anew.
    var refreshInterval: Int? { get }

    /// The state before the first step; throws if the hyperparameters do not fit the layout of `parameters`.
    func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> State

    /// The transform for the next step's per-example gradients.
    ///
    /// Throws if the state allows none: a scale, for example, that noise has driven to infinity.
    ///
    /// - `layout`: the layout of the parameters.
    func preClippingTransform(
        for state: State, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> Transform

    /// Turns a noisy, transformed gradient into updates, in the layout of the parameters.
    ///
    /// `parameters` are those before the step. Traps unless gradient, `state` and `parameters` fit each other.
    func update(
        _ gradient: consuming TransformedGradient<Transform>, state: inout State, parameters: ParameterVector
    ) -> ParameterVector

    /// Takes one step: makes updates of `gradient` and adds them to `parameters`.
    ///
    /// The default calls ``update(_:state:parameters:)``.
    func step(
        _ gradient: consuming TransformedGradient<Transform>, state: inout State, parameters: inout ParameterVector)
}

extension AugmentedGradientTransformation {
    /// Not known.
    public var refreshInterval: Int? { nil }

    /// Adds the updates to the parameters.
    public func step(
        _ gradient: consuming TransformedGradient<Transform>, state: inout State, parameters: inout ParameterVector
    ) {
        let updates = update(gradient, state: &state, parameters: parameters)
        parameters.withUnsafeMutableValues { parameters in
            updates.withUnsafeValues { updates in
                for index in parameters.indices { parameters[index] += updates[index] }
            }
        }
    }
}

/// Any transformation, augmented with the identity: gradients are clipped as they are.
///
/// Trainers and runs that are given an ordinary optimizer make one of it.
public struct IdentityAugmented<Base: GradientTransformation>: AugmentedGradientTransformation {
    /// The base's, whose state it has.
    public static var identifier: String { Base.identifier }

    /// What takes the noisy gradient.
    public let base: Base

    /// Augments `base`.
    public init(_ base: Base) { self.base = base }

    /// The base's state.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> Base.State {
        try base.initialState(for: parameters)
    }

    /// Updates by the base.
    public func update(
        _ gradient: consuming TransformedGradient<IdentityTransform>, state: inout Base.State,
        parameters: ParameterVector
    ) -> ParameterVector {
        gradient.updates(for: parameters) { base.join(&$0, state: &state, then: $1) }
    }

    /// Steps by the base.
    public func step(
        _ gradient: consuming TransformedGradient<IdentityTransform>, state: inout Base.State,
        parameters: inout ParameterVector
    ) {
        gradient.step(&parameters) { base.join(&$0, state: &state, then: $1) }
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
