import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Requirements

extension AugmentedGradientTransformation {
    /// Takes one private training step: transform, clip, sum, noise, inverse and update, in one call.
    ///
    ///     u_i = T(g_i),  y = Σ clip(u_i) / N + z·Δ·ξ,  ĝ = T⁻¹(y),  parameters += base.update(ĝ)
    ///
    ///     var workspace = StepWorkspace()
    ///     try optimizer.privateStep(
    ///         on: rows, state: &state, parameters: &parameters, clipping: rule, noiseMultiplier: 1.1, noise: &noise,
    ///         workspace: &workspace)
    ///
    /// **Guarantee:** T and T⁻¹ are made from the same state, the one before the step. What parameters and state
    /// learn of the examples is y alone: `noise` of multiplier z on a sum of sensitivity Δ in the transformed space. An
    /// empty batch is noised too.
    ///
    /// Throws, and then leaves parameters and state as they were: what the transform, the rule
    /// (`clipNormsDoNotFitLayout`, in the transformed space) or the noise throws. Traps if gradients or state have
    /// another layout than the parameters.
    ///
    /// - `gradients`: the batch. For several microbatches, see the variant with a closure.
    /// - `padding`: true for examples that are only there to fill the batch.
    /// - `workspace`: memory that the next step uses again.
    public func privateStep(
        on gradients: some PerExampleGradients, padding: [Bool]? = nil, state: inout State,
        parameters: inout ParameterVector, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout Noise, workspace: inout StepWorkspace
    ) throws(PrivacyMechanismError) {
        var batch = try openBatch(
            for: state, layout: parameters.layout, clipping, noise.scheme, noiseMultiplier, workspace)
        batch.add(gradients, padding: padding)
        step(try batch.noised(&noise), state: &state, parameters: &parameters)
    }

    /// Takes one private training step on microbatches, which `addExamples` adds one after the other.
    ///
    /// The noise is added once, after the last. Throws also what `addExamples` throws; parameters, state and noise
    /// are then as they were. All else is as in the variant for one batch.
    ///
    ///     try optimizer.privateStep(… , workspace: &workspace) { parameters, batch in
    ///         for examples in microbatches { batch.add(gradients(of: examples, at: parameters)) }
    ///     }
    public func privateStep(
        state: inout State, parameters: inout ParameterVector, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout Noise, workspace: inout StepWorkspace,
        addExamples: (ParameterVector, inout PrivateBatch<Transform>) throws -> Void
    ) throws {
        var batch = try openBatch(
            for: state, layout: parameters.layout, clipping, noise.scheme, noiseMultiplier, workspace)
        try addExamples(parameters, &batch)
        step(try batch.noised(&noise), state: &state, parameters: &parameters)
    }

    /// As the variant with a closure, under a clip norm that adapts: returns the noisy share of examples within it.
    ///
    /// - Parameter noiseMultiplier: that of sum and count together; each gets its part.
    package func privateStep(
        state: inout State, parameters: inout ParameterVector, adaptive: some AdaptiveClipping,
        clipping: ClippingRule, noiseMultiplier: Double, noise: inout Noise, workspace: inout StepWorkspace,
        addExamples: (ParameterVector, inout PrivateBatch<Transform>) throws -> Void
    ) throws -> Double {
        let gradientMultiplier = try adaptive.gradientNoiseMultiplier(forTotal: noiseMultiplier)
        var batch = try openBatch(
            for: state, layout: parameters.layout, clipping, noise.scheme, gradientMultiplier, workspace)
        batch.countExamplesWithinBound()
        try addExamples(parameters, &batch)
        var share = 0.0
        let gradient = try batch.noised(count: adaptive.countNoiseMultiplier, share: &share, &noise)
        step(gradient, state: &state, parameters: &parameters)
        return share
    }

    private func openBatch(
        for state: State, layout: TreeLayout, _ clipping: ClippingRule, _ noise: NoiseScheme, _ noiseMultiplier: Double,
        _ workspace: borrowing StepWorkspace
    ) throws(PrivacyMechanismError) -> PrivateBatch<Transform> {
        let transform = try preClippingTransform(for: state, layout: layout)
        return PrivateBatch(
            try ClippedAggregate(
                clipping, transform: transform, noise: noise, noiseMultiplier: noiseMultiplier,
                workspace: workspace.sums, ranks: workspace.ranks, isGathered: !workspace.hasSharedState))
    }
}

extension GradientTransformation {
    /// Takes one private training step with gradients clipped as they are: that of ``IdentityAugmented``.
    public func privateStep(
        on gradients: some PerExampleGradients, padding: [Bool]? = nil, state: inout State,
        parameters: inout ParameterVector, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout Noise, workspace: inout StepWorkspace
    ) throws(PrivacyMechanismError) {
        try IdentityAugmented(self).privateStep(
            on: gradients, padding: padding, state: &state, parameters: &parameters, clipping: clipping,
            noiseMultiplier: noiseMultiplier, noise: &noise, workspace: &workspace)
    }

    /// The same on microbatches, which `addExamples` adds one after the other.
    public func privateStep(
        state: inout State, parameters: inout ParameterVector, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout Noise, workspace: inout StepWorkspace,
        addExamples: (ParameterVector, inout PrivateBatch<IdentityTransform>) throws -> Void
    ) throws {
        try IdentityAugmented(self).privateStep(
            state: &state, parameters: &parameters, clipping: clipping, noiseMultiplier: noiseMultiplier,
            noise: &noise, workspace: &workspace, addExamples: addExamples)
    }
}

/// A step's batch while examples are added to it: nothing can be read from it.
public struct PrivateBatch<Transform: PreClippingTransform>: ~Copyable {
    private var aggregate: ClippedAggregate<Transform>

    init(_ aggregate: consuming ClippedAggregate<Transform>) {
        self.aggregate = aggregate
    }

    /// Adds a microbatch.
    ///
    /// Traps if the gradients have another layout than the parameters, or if `padding` has another length than the
    /// microbatch.
    ///
    /// - `padding`: true for examples that are only there to fill the batch; nil if none are.
    public mutating func add(_ gradients: some PerExampleGradients, padding: [Bool]? = nil) {
        aggregate.add(gradients, padding: padding)
    }

    /// Adds a microbatch in which several rows may be one unit's, each of which contributes the mean of its gradients:
    /// see ``/PrivacyMechanisms/ClippedAggregate/add(_:meansOf:padding:)``.
    public mutating func add(_ gradients: some PerExampleGradients, meansOf units: UnitRows, padding: [Bool]? = nil) {
        aggregate.add(gradients, meansOf: units, padding: padding)
    }

    mutating func countExamplesWithinBound() { aggregate.countExamplesWithinBound() }

    consuming func noised(
        _ noise: inout Noise
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        try aggregate.noised(noise: &noise)
    }

    consuming func noised(
        count countNoiseMultiplier: Double, share: inout Double, _ noise: inout Noise
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        try aggregate.noised(countNoiseMultiplier: countNoiseMultiplier, share: &share, noise: &noise)
    }
}

/// What the steps of one training loop share: memory, so that a step after the first allocates none, and ranks.
///
/// The memory holds the sum, which is zero between steps, and a vector for what is already noisy.
public struct StepWorkspace: ~Copyable, Sendable {
    let sums = GradientWorkspace()
    /// Who takes the steps together; nil for this process alone.
    public let ranks: Ranks?
    /// Whether this rank's state is that of its share of the columns.
    let hasSharedState: Bool

    /// An empty workspace.
    ///
    /// With `ranks`, each of them takes every step, with the same plan, state and parameters, and adds its own part of
    /// the batch: each example is one rank's.
    public init(ranks: Ranks? = nil) {
        self.ranks = ranks
        hasSharedState = false
    }

    /// An empty workspace for steps of `optimizer` by a state that is ``kept(of:in:)``.
    package init(ranks: Ranks?, sharingStateOf optimizer: some AugmentedGradientTransformation) {
        self.ranks = ranks
        hasSharedState = ranks != nil && (optimizer as? any DivisibleOptimizer)?.isDivisible ?? false
    }
}
