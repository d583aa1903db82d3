import GradientTransformations
import PrivacyMechanisms
import PrivateTraining
import PyTrees

@testable import PrivacyAuditing

/// What the library offers, as it is.
enum TrueConfiguration: String, CaseIterable, Sendable, CustomStringConvertible {
    case independent = "floating-point noise, whole batch, rows"
    case discrete = "discrete noise, whole batch, rows"
    case directions = "discrete noise, whole batch, random directions"
    case perLayer = "discrete noise, whole batch, a clip norm for each leaf"
    case adaptive = "discrete noise, Poisson, adaptive clip norm, factored"
    case poisson = "discrete noise, Poisson, rows"
    case factored = "discrete noise, Poisson, factored"
    case fixedSize = "discrete noise, fixed size, replace-one, rows"
    case replaced = "discrete noise, epochs in order, replace-one, factored"
    case banded = "banded Toeplitz noise, cyclic Poisson, rows"
    case bandedInverse = "banded inverse noise, balls in bins, factored"
    case buffered = "BLT noise, balls in bins, rows"
    case scaled = "discrete noise, Poisson, scale-then-privatize, rows"
    case scaledFactored = "discrete noise, Poisson, scale-then-privatize, factored"
    case rankOne = "discrete noise, whole batch, scale of rank one, factored"
    case lowRank = "discrete noise, whole batch, low-rank projection, rows"

    var description: String { rawValue }

    static let canaryCount = 800
    static var layout: TreeLayout { get throws { try TreeLayout([("bias", [32]), ("kernel", [32, 32])]) } }

    var plan: PrivacyPlan {
        get throws {
            let whole = SamplingScheme.poisson(try PoissonSampler(exampleCount: 820, samplingProbability: 1))
            let poisson = SamplingScheme.poisson(try PoissonSampler(exampleCount: 820, samplingProbability: 0.25))
            let bins = SamplingScheme.ballsInBins(try BallsInBinsSampler(exampleCount: 820, bins: 4))
            func plan(
                _ sampling: SamplingScheme, _ steps: Int, _ z: Double, relation: NeighboringRelation = .addOrRemoveOne,
                clipping: PlannedClipping = .flat(l2ClipNorm: 0.5), noise: PlannedNoise = .discreteGaussian
            ) throws -> PrivacyPlan {
                try TwinCase.plan(
                    sampling, steps, noiseMultiplier: z, relation: relation, clipping: clipping, noise: noise)
            }
            switch self {
            case .independent: return try plan(whole, 1, 1, noise: .floatingPointGaussian)
            case .discrete, .directions: return try plan(whole, 4, 2)
            case .lowRank, .rankOne: return try plan(whole, 4, 2)
            case .perLayer:
                return try plan(
                    whole, 1, 1, clipping: .perSubtree(l2ClipNorms: ["bias": 0.6, "kernel": 0.8]))
            case .adaptive:
                let rule = try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 20)
                return try plan(poisson, 8, 1, clipping: .adaptiveQuantile(rule))
            case .poisson, .factored: return try plan(poisson, 8, 0.7)
            case .fixedSize:
                let sampler = try FixedSizeSampler(exampleCount: 820, batchSize: 205)
                return try plan(.fixedSize(sampler), 8, 1, relation: .replaceOne)
            case .replaced:
                let sampler = try ShuffledEpochs(exampleCount: 820, batchSize: 410, keepsOrder: true)
                return try plan(.shuffledEpochs(sampler), 4, 3, relation: .replaceOne)
            case .banded:
                let sampler = try CyclicPoissonSampler(exampleCount: 820, bands: 2, samplingProbability: 0.5)
                let strategy = try ToeplitzStrategy(coefficients: [1, 0.6], steps: 8)
                return try plan(.cyclicPoisson(sampler), 8, 0.8, noise: .correlated(.bandedToeplitz(strategy)))
            case .bandedInverse:
                return try plan(
                    bins, 8, 1, noise: .correlated(.bandedInverse(BandedInverseStrategy.bisr(terms: 3, steps: 8))))
            case .buffered: return try plan(bins, 8, 1, noise: .correlated(.blt()))
            case .scaled, .scaledFactored: return try plan(poisson, 8, 0.7)
            }
        }
    }

    private var isFactored: Bool {
        [.adaptive, .factored, .replaced, .bandedInverse, .scaledFactored, .rankOne].contains(self)
    }

    func finding() throws -> AuditFinding {
        let directions: CanaryDirections = self == .directions ? .random : .coordinates
        let audit = try PrivacyAudit(
            plan, canaryCount: Self.canaryCount, kind: .gradient(directions, .likelihoodRatio), nonPrivateSeed: 3)
        func scores(_ optimizer: some AugmentedGradientTransformation) throws -> CanaryScores {
            let layout = try Self.layout
            let parameters = ParameterVector(zeros: layout)
            if isFactored {
                return try audit.scores(optimizer: optimizer, parameters: parameters, microbatchSize: 100) {
                    indices, _ in try FixedGradients.factors(of: indices, layout)
                }
            }
            return try audit.scores(optimizer: optimizer, parameters: parameters, microbatchSize: 100) { indices, _ in
                FixedGradients.rows(of: indices, layout)
            }
        }
        let found =
            switch self {
            case .scaled, .scaledFactored: try scores(ScaleThenPrivatize(adam(learningRate: 0.01)))
            case .rankOne: try scores(ScaleThenPrivatize(adafactor(learningRate: 0.01), epsilon: 1e-2))
            case .lowRank: try scores(LowRankProjection(sgd(learningRate: 0.01), rank: 8, seed: 1))
            default: try scores(IdentityAugmented(sgd(learningRate: 0.01)))
            }
        return try AuditFinding(audit, found)
    }
}
