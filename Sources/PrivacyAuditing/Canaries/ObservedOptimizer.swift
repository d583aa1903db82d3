import GradientTransformations
import PrivacyMechanisms
import PrivateOptimization
import PyTrees

/// An optimizer as it is, whose steps are watched: canaries learn of the transform that it chose and of the noised sum
/// that it takes.
struct ObservedOptimizer<Base: AugmentedGradientTransformation>: AugmentedGradientTransformation {
    static var identifier: String { Base.identifier }

    let base: Base
    let canaries: GradientCanaries<Base.Transform>

    var refreshInterval: Int? { base.refreshInterval }

    func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> Base.State {
        try base.initialState(for: parameters)
    }

    func preClippingTransform(
        for state: Base.State, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> Base.Transform {
        let transform = try base.preClippingTransform(for: state, layout: layout)
        canaries.begin(transform)
        return transform
    }

    func update(
        _ gradient: consuming TransformedGradient<Base.Transform>, state: inout Base.State,
        parameters: ParameterVector
    ) -> ParameterVector {
        canaries.observe(gradient.vector)
        return base.update(gradient, state: &state, parameters: parameters)
    }

    func step(
        _ gradient: consuming TransformedGradient<Base.Transform>, state: inout Base.State,
        parameters: inout ParameterVector
    ) {
        canaries.observe(gradient.vector)
        base.step(gradient, state: &state, parameters: &parameters)
    }
}
