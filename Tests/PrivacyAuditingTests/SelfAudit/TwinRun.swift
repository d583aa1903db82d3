import GradientTransformations
import PrivacyMechanisms
import PrivateTraining
import PyTrees
import _TestSupport

@testable import PrivacyAuditing

/// A private run written out, one part of which can be replaced by a broken one. Without a twin it does what
/// `PrivateRun` does.
struct TwinRun<Optimizer: AugmentedGradientTransformation> {
    let plan: PrivacyPlan
    let optimizer: Optimizer
    let layout: TreeLayout
    let canaryCount: Int
    let twin: BrokenTwin?
    var microbatchSize = 250

    /// What was seen of the canaries, and whether each was in.
    func canaries(seed: UInt64) throws -> GradientCanaries<Optimizer.Transform> {
        var generator = SeededGenerator(seed: seed)
        let canaries = try GradientCanaries<Optimizer.Transform>(
            plan, count: canaryCount, directions: .coordinates, layout: layout, using: &generator)
        let watched = ObservedOptimizer(base: optimizer, canaries: canaries)
        var parameters = ParameterVector(zeros: layout)
        var state = try watched.initialState(for: parameters)
        var noise = Noise(plan.noise, nonPrivateSeed: seed)
        var workspace = StepWorkspace()
        let source = SamplingSource(nonPrivateSeed: seed)
        let sampling = try sampling
        for step in 0..<plan.iterations {
            // Canaries that are not in are not there.
            let batch = sampling.batch(at: step, from: source).examples
                .filter { !canaries.isCanary($0) || canaries.contributes($0) }
            if twin == .repeatedNoise { noise = Noise(plan.noise, nonPrivateSeed: seed) }
            let blocks = stride(from: 0, to: batch.count, by: microbatchSize).map {
                Array(batch[$0..<min(batch.count, $0 + microbatchSize)])
            }
            try watched.privateStep(
                state: &state, parameters: &parameters, clipping: try clipping,
                noiseMultiplier: noiseMultiplier(blocks: blocks.count), noise: &noise, workspace: &workspace
            ) { _, sum in
                for block in blocks {
                    // Short ones: the attacker takes away what they contribute where nothing is broken.
                    let gradients = FixedGradients.rows(of: block, layout, size: 0x1p-10)
                    add(canaries.inserted(into: gradients, at: block), &sum)
                }
            }
        }
        return canaries
    }

    private var sampling: SamplingScheme {
        get throws {
            guard twin == .shuffledSampling else { return plan.sampling }
            return .shuffledEpochs(
                try ShuffledEpochs(
                    exampleCount: plan.sampling.exampleCount, batchSize: Int(plan.sampling.expectedBatchSize)))
        }
    }

    private var clipping: ClippingRule {
        get throws {
            let rule = plan.initialClippingRule
            guard twin == .doubledClipNorm else { return rule }
            let norm = rule.sensitivity(for: .addOrRemoveOne) * plan.normalizeBy
            return try .flat(l2ClipNorm: 2 * norm, normalizeBy: plan.normalizeBy)
        }
    }

    private func noiseMultiplier(blocks: Int) -> Double {
        let z = plan.noiseMultiplier
        switch twin {
        case .noNoise: return 0
        case .halfNoise, .doubledClipNorm: return z / 2
        case .noiseOnTheMean: return z / plan.normalizeBy
        case .noiseOnHalves: return z * 0.5.squareRoot()
        case .unnoisedEmptyBatch: return blocks == 0 ? 0 : z
        case .noisePerMicrobatch:
            // Variances of z²/k for each of the k microbatches that are expected.
            let expected = (plan.normalizeBy / Double(microbatchSize)).rounded(.up)
            return z * (Double(blocks) / expected).squareRoot()
        case .columnsNotNormalised: return z / (plan.noise.correlation?.strategy.columnNorm ?? 1)
        default: return z
        }
    }

    private func add(_ rows: DenseRows, _ sum: inout PrivateBatch<Optimizer.Transform>) {
        switch twin {
        case .unclippedBias: sum.add(MismeasuredRows(rows: rows, unmeasured: layout["bias"]?.range ?? 0..<0))
        case .inverseScale: sum.add(MismeasuredRows(rows: rows, invertsScale: true))
        default: sum.add(rows)
        }
    }
}
