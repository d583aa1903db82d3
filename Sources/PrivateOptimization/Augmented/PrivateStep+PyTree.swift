import GradientTransformations
import PrivacyMechanisms
import PyTrees

extension AugmentedGradientTransformation {
    /// Takes one private training step with parameters that are a tree; all else is as with a vector.
    ///
    ///     let rows = try DenseRows(examples.map { gradient(of: $0, at: model) }, like: model)
    ///     try optimizer.privateStep(on: rows, state: &state, parameters: &model, …)
    ///
    /// The parameters are flattened once and written back once.
    public func privateStep(
        on gradients: some PerExampleGradients, padding: [Bool]? = nil, state: inout State,
        parameters: inout some PyTree, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout Noise, workspace: inout StepWorkspace
    ) throws(PrivacyMechanismError) {
        var vector = parameters.vector()
        try privateStep(
            on: gradients, padding: padding, state: &state, parameters: &vector, clipping: clipping,
            noiseMultiplier: noiseMultiplier, noise: &noise, workspace: &workspace)
        parameters.overwriteLeaves(with: vector)
    }

    /// The same on microbatches, which `addExamples` adds one after the other.
    public func privateStep<Tree: PyTree>(
        state: inout State, parameters: inout Tree, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout Noise, workspace: inout StepWorkspace,
        addExamples: (Tree, inout PrivateBatch<Transform>) throws -> Void
    ) throws {
        var vector = parameters.vector()
        try privateStep(
            state: &state, parameters: &vector, clipping: clipping, noiseMultiplier: noiseMultiplier, noise: &noise,
            workspace: &workspace
        ) { try addExamples(parameters, &$1) }
        parameters.overwriteLeaves(with: vector)
    }
}

extension GradientTransformation {
    /// Takes one private training step with gradients clipped as they are, and parameters that are a tree.
    public func privateStep(
        on gradients: some PerExampleGradients, padding: [Bool]? = nil, state: inout State,
        parameters: inout some PyTree, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout Noise, workspace: inout StepWorkspace
    ) throws(PrivacyMechanismError) {
        try IdentityAugmented(self).privateStep(
            on: gradients, padding: padding, state: &state, parameters: &parameters, clipping: clipping,
            noiseMultiplier: noiseMultiplier, noise: &noise, workspace: &workspace)
    }

    /// The same on microbatches, which `addExamples` adds one after the other.
    public func privateStep<Tree: PyTree>(
        state: inout State, parameters: inout Tree, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout Noise, workspace: inout StepWorkspace,
        addExamples: (Tree, inout PrivateBatch<IdentityTransform>) throws -> Void
    ) throws {
        try IdentityAugmented(self).privateStep(
            state: &state, parameters: &parameters, clipping: clipping, noiseMultiplier: noiseMultiplier,
            noise: &noise, workspace: &workspace, addExamples: addExamples)
    }
}
