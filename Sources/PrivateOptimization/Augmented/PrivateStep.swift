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
    /// learn of the examples is y alone: a Gaussian mechanism of noise multiplier z on a sum of sensitivity Δ in the
    /// transformed space. An empty batch is noised too.
    ///
    /// Throws, and then leaves parameters and state as they were: what the transform, the rule
    /// (`clipNormsDoNotFitLayout`, in the transformed space) or the noise throws. Traps if gradients or state have
    /// another layout than the parameters.
    ///
    /// - Parameters:
    ///   - gradients: the batch. For several microbatches, see the variant with a closure.
    ///   - padding: true for examples that are only there to fill the batch.
    ///   - workspace: memory that the next step uses again.
    public func privateStep(
        on gradients: some PerExampleGradients, padding: [Bool]? = nil, state: inout State,
        parameters: inout ParameterVector, clipping: ClippingRule, noiseMultiplier: Double,
        noise: inout GaussianNoise, workspace: inout StepWorkspace
    ) throws(PrivacyMechanismError) {
        var batch = try openBatch(for: state, layout: parameters.layout, clipping, &workspace)
        batch.add(gradients, padding: padding)
        try batch.noise(noiseMultiplier, &noise, into: &workspace)
        step(&workspace.noisySum, state: &state, parameters: &parameters)
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
        noise: inout GaussianNoise, workspace: inout StepWorkspace,
        addExamples: (ParameterVector, inout PrivateBatch<Transform>) throws -> Void
    ) throws {
        var batch = try openBatch(for: state, layout: parameters.layout, clipping, &workspace)
        try addExamples(parameters, &batch)
        try batch.noise(noiseMultiplier, &noise, into: &workspace)
        step(&workspace.noisySum, state: &state, parameters: &parameters)
    }

    /// As the variant with a closure, under a clip norm that adapts: returns the noisy share of examples within it.
    ///
    /// - Parameter noiseMultiplier: that of sum and count together; each gets its part.
    package func privateStep(
        state: inout State, parameters: inout ParameterVector, adaptive: AdaptiveQuantileClipping,
        clipping: ClippingRule, noiseMultiplier: Double, noise: inout GaussianNoise, workspace: inout StepWorkspace,
        addExamples: (ParameterVector, inout PrivateBatch<Transform>) throws -> Void
    ) throws -> Double {
        let gradientMultiplier = try adaptive.gradientNoiseMultiplier(forTotal: noiseMultiplier)
        var batch = try openBatch(for: state, layout: parameters.layout, clipping, &workspace)
        batch.countExamplesWithinBound()
        try addExamples(parameters, &batch)
        let share = try batch.noise(
            gradientMultiplier, count: adaptive.countNoiseMultiplier, &noise, into: &workspace)
        step(&workspace.noisySum, state: &state, parameters: &parameters)
        return share
    }

    private func openBatch(
        for state: State, layout: TreeLayout, _ clipping: ClippingRule, _ workspace: inout StepWorkspace
    ) throws(PrivacyMechanismError) -> PrivateBatch<Transform> {
        let transform = try preClippingTransform(for: state, layout: layout)
        return PrivateBatch(try ClippedAggregate(clipping, transform: transform, workspace: workspace.sums))
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
    /// - Parameter padding: true for examples that are only there to fill the batch; nil if none are.
    public mutating func add(_ gradients: some PerExampleGradients, padding: [Bool]? = nil) {
        aggregate.add(gradients, padding: padding)
    }

    /// Writes the noisy, transformed sum to the workspace. The transform is let go of before the state changes, so
    /// that what the state shares with it changes in place.
    consuming func noise(
        _ noiseMultiplier: Double, _ noise: inout GaussianNoise, into workspace: inout StepWorkspace
    ) throws(PrivacyMechanismError) {
        workspace.prepare(for: aggregate.transform.transformedLayout)
        try aggregate.noiseTransformedSum(
            noiseMultiplier: noiseMultiplier, noise: &noise, into: &workspace.noisySum)
    }

    mutating func countExamplesWithinBound() { aggregate.countExamplesWithinBound() }

    consuming func noise(
        _ noiseMultiplier: Double, count countNoiseMultiplier: Double, _ noise: inout GaussianNoise,
        into workspace: inout StepWorkspace
    ) throws(PrivacyMechanismError) -> Double {
        workspace.prepare(for: aggregate.transform.transformedLayout)
        return try aggregate.noiseTransformedSum(
            noiseMultiplier: noiseMultiplier, countNoiseMultiplier: countNoiseMultiplier, noise: &noise,
            into: &workspace.noisySum)
    }
}

/// Memory that one training loop's steps hand on to each other, so that a step after the first allocates none.
///
/// It holds three vectors of the transformed space: two for the sum in Float64, which is zero between steps, and one
/// for what is already noisy.
public struct StepWorkspace: ~Copyable, Sendable {
    let sums = GradientWorkspace()
    var noisySum = ParameterVector(zeros: EmptyLayout.value)

    /// An empty workspace.
    public init() {}

    mutating func prepare(for layout: TreeLayout) {
        if noisySum.layout != layout { noisySum = ParameterVector(zeros: layout) }
    }
}

private enum EmptyLayout {
    static let value: TreeLayout = {
        do throws(PyTreeError) {
            return try TreeLayout([])
        } catch {
            fail(error.description)
        }
    }()
}
