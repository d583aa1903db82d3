import GradientTransformations
import PrivacyMechanisms
import PrivateTraining
import PyTrees

@testable import PrivacyAuditing

/// A plan under which a twin shows, and how it is attacked.
struct TwinCase {
    let twin: BrokenTwin
    let plan: PrivacyPlan
    var canaryCount = 2000
    var runs = 1
    var microbatchSize = 100
    var isScaled = false
    var scoring = CanaryScoring.likelihoodRatio
    /// For sums that are zero where nothing is in them, and noise was forgotten.
    var scoresByZeros = false

    /// A kernel and a bias of as many parameters.
    static var layout: TreeLayout { get throws { try TreeLayout([("bias", [1024]), ("kernel", [32, 32])]) } }

    init(_ twin: BrokenTwin) throws {
        self.twin = twin
        switch twin {
        case .noNoise, .halfNoise, .noiseOnHalves, .doubledClipNorm:
            plan = try Self.wholeBatch(noiseMultiplier: 1)
        case .noisePerMicrobatch:
            plan = try Self.wholeBatch(noiseMultiplier: 1)
        case .noiseOnTheMean, .unclippedBias:
            // Exact sums write other types' gradients out, and measure them themselves; and have a least noise.
            plan = try Self.wholeBatch(noiseMultiplier: 1, noise: .floatingPointGaussian)
        case .inverseScale:
            plan = try Self.wholeBatch(noiseMultiplier: 2, iterations: 4, noise: .floatingPointGaussian)
            isScaled = true
        case .repeatedNoise:
            plan = try Self.plan(
                .poisson(PoissonSampler(exampleCount: 2020, samplingProbability: 0.5)), 2, noiseMultiplier: 4)
            scoring = .repeatedNoise
        case .shuffledSampling:
            plan = try Self.plan(
                .poisson(PoissonSampler(exampleCount: 2020, samplingProbability: 0.1)), 10, noiseMultiplier: 0.3,
                noise: .floatingPointGaussian)
        case .unnoisedEmptyBatch:
            plan = try Self.plan(
                .poisson(PoissonSampler(exampleCount: 1, samplingProbability: 0.5)), 1, noiseMultiplier: 2)
            canaryCount = 1
            runs = 1000
            scoresByZeros = true
        case .columnsNotNormalised:
            let strategy = CorrelationStrategy.bandedToeplitz(
                try ToeplitzStrategy(coefficients: [1, 0.9, 0.8, 0.7], steps: 8))
            let noise = PlannedNoise.correlated(strategy)
            let sensitivity = strategy.epochSensitivity(length: 1, steps: 8) / strategy.columnNorm
            plan = try Self.plan(
                .shuffledEpochs(ShuffledEpochs(exampleCount: 2020, batchSize: 2020, keepsOrder: true)), 8,
                noiseMultiplier: 2 * sensitivity, relation: .replaceOne, noise: noise)
        }
    }

    static func wholeBatch(
        noiseMultiplier z: Double, iterations: Int = 1, noise: PlannedNoise = .discreteGaussian
    ) throws -> PrivacyPlan {
        try plan(
            .poisson(PoissonSampler(exampleCount: 2020, samplingProbability: 1)), iterations, noiseMultiplier: z,
            noise: noise)
    }

    static func plan(
        _ sampling: SamplingScheme, _ iterations: Int, noiseMultiplier z: Double,
        relation: NeighboringRelation = .addOrRemoveOne, clipping: PlannedClipping = .flat(l2ClipNorm: 1),
        noise: PlannedNoise = .discreteGaussian
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: sampling, iterations: iterations, clipping: clipping, budget: .noiseMultiplier(z), delta: 1e-5,
            relation: relation, noise: noise)
    }

    /// What an audit finds, with the flaw or without.
    func finding(isBroken: Bool) throws -> AuditFinding {
        var (included, excluded) = ([Double](), [Double]())
        for run in 0..<runs {
            let scores =
                isScaled
                ? try scores(ScaleThenPrivatize(adam(learningRate: 0.01), epsilon: 1e-3), isBroken, seed: UInt64(run))
                : try scores(IdentityAugmented(sgd(learningRate: 0.01)), isBroken, seed: UInt64(run))
            included += scores.included
            excluded += scores.excluded
        }
        let audit = try PrivacyAudit(
            plan, canaryCount: canaryCount, kind: .gradient(.coordinates, scoring), nonPrivateSeed: 1)
        return try AuditFinding(
            audit, CanaryScores(included: included, excluded: excluded),
            threshold: scoresByZeros ? .given(0.5) : nil)
    }

    private func scores<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, _ isBroken: Bool, seed: UInt64
    ) throws -> (included: [Double], excluded: [Double]) {
        let run = TwinRun(
            plan: plan, optimizer: optimizer, layout: try Self.layout, canaryCount: canaryCount,
            twin: isBroken ? twin : nil, microbatchSize: microbatchSize)
        let canaries = try run.canaries(seed: seed)
        if scoresByZeros {
            var scores = ([Double](), [Double]())
            for (sums, isIncluded) in zip(canaries.sums, canaries.coins.isIncluded) {
                let score = sums.contains(0) ? 0.0 : 1
                if isIncluded { scores.0.append(score) } else { scores.1.append(score) }
            }
            return scores
        }
        let scores = try canaries.scores(by: scoring)
        return (scores.included, scores.excluded)
    }
}
