import GradientTransformations
import PrivacyMechanisms
import PyTrees

extension AugmentedGradientTransformation {
    /// The state before the first step, for parameters that are a tree; throws if the hyperparameters do not fit them.
    ///
    /// Traps if two children of the tree share a key.
    public func initialState(for parameters: some PyTree) throws(GradientTransformationError) -> State {
        try initialState(for: parameters.vector())
    }

    /// The transform for the next step's per-example gradients, which are trees like `parameters`.
    ///
    /// Throws if the state allows none.
    public func preClippingTransform(
        for state: State, like parameters: some PyTree
    ) throws(PrivacyMechanismError) -> Transform {
        try preClippingTransform(for: state, layout: parameters.requiredLayout)
    }

    /// Turns a noisy, transformed gradient into updates, a tree like `parameters`, which are those before the step.
    ///
    /// Traps unless gradient, `state` and `parameters` fit each other.
    public func update<Tree: PyTree>(
        _ gradient: consuming TransformedGradient<Transform>, state: inout State, parameters: Tree
    ) -> Tree {
        parameters.holding(update(gradient, state: &state, parameters: parameters.vector()))
    }

    /// Takes one step: makes updates of `gradient` and adds them to `parameters`, in place.
    ///
    /// Traps unless gradient, `state` and `parameters` fit each other.
    public func step<Tree: PyTree>(
        _ gradient: consuming TransformedGradient<Transform>, state: inout State, parameters: inout Tree
    ) {
        var vector = parameters.vector()
        step(gradient, state: &state, parameters: &vector)
        parameters.overwriteLeaves(with: vector)
    }
}

extension PreClipping where Transform == DiagonalTransform {
    /// Multiplies gradients by a fixed scale, which is a tree like the parameters.
    ///
    /// Throws `invalidScale` unless all of its leaves hold positive, finite numbers.
    public init(_ base: Base, scale: some PyTree) throws(PrivacyMechanismError) {
        try self.init(base, scale: scale.vector())
    }
}
