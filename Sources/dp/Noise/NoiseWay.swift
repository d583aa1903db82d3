import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining

/// A way to do some work: who takes part in its steps, and how their noise is correlated.
struct NoiseWay {
    /// What `--strategy` calls it; "DP-SGD" for independent noise.
    let name: String
    let sampling: SamplingScheme
    /// What tells the sampler from others of its kind.
    let detail: String
    let noise: PlannedNoise
    let relation: NeighboringRelation
    /// The bands of a banded strategy, for charts; 1 for independent noise and nil for other kinds.
    let bands: Int?
    /// Coefficients times steps that a fit works on.
    var effort = 0.0

    /// The most that a fit may work on, for each of its iterations: seconds for all of them.
    static let mostEffort = 0x1p26

    /// The most steps that a dense strategy is fitted to here.
    static let mostDenseSteps = 1024
}

extension NoiseWay {
    /// Every way to do the work under a relation; of each sampler under its first relation if it is nil.
    ///
    /// - DP-SGD, with Poisson sampling.
    /// - Cyclic Poisson sampling with as many groups as a banded strategy has bands: powers of two.
    /// - An epoch's order that stays: balls in bins under add-or-remove-one, which shuffled epochs do not cover, and
    ///   shuffled epochs otherwise. Nothing is amplified, and every kind of strategy fits.
    static func all(of work: Workload, relation: NeighboringRelation?) throws -> [NoiseWay] {
        let poisson = SamplingScheme.poisson(
            try PoissonSampler(exampleCount: work.exampleCount, samplingProbability: work.samplingProbability))
        let relations = relation.map { [$0] } ?? [.addOrRemoveOne, .replaceOne]
        let first = relations[0]
        var ways = relations.map { relation in
            NoiseWay(
                name: "DP-SGD", sampling: poisson, detail: "", noise: .discreteGaussian, relation: relation,
                bands: 1)
        }
        for bands in bandCounts(of: work) {
            let sampler = try CyclicPoissonSampler(
                exampleCount: work.exampleCount, bands: bands,
                samplingProbability: min(1, work.samplingProbability * Double(bands)))
            ways.append(
                banded(bands, sampling: .cyclicPoisson(sampler), detail: "b = \(bands)", of: work, relation: first))
        }
        for relation in relations { ways += try inOrder(work, relation: relation) }
        return ways
    }

    /// Powers of two, from 2 on: at most the whole batches of an epoch, and the number of steps.
    private static func bandCounts(of work: Workload) -> [Int] {
        let most = min(work.exampleCount / work.batchSize, work.iterations)
        return Array(sequence(first: 2) { $0 > most / 2 ? nil : 2 * $0 }.prefix { $0 <= most })
    }

    /// The ways with an order that stays from epoch to epoch.
    private static func inOrder(_ work: Workload, relation: NeighboringRelation) throws -> [NoiseWay] {
        let (sampling, detail) =
            if relation == .addOrRemoveOne {
                (
                    SamplingScheme.ballsInBins(
                        try BallsInBinsSampler(exampleCount: work.exampleCount, bins: work.stepsPerEpoch)),
                    "b = \(work.stepsPerEpoch)"
                )
            } else {
                (
                    SamplingScheme.shuffledEpochs(
                        try ShuffledEpochs(
                            exampleCount: work.exampleCount, batchSize: work.batchSize, keepsOrder: true)),
                    "m = \(work.batchSize)"
                )
            }
        func way(_ request: StrategyRequest, _ name: String) -> NoiseWay {
            NoiseWay(
                name: name, sampling: sampling, detail: detail, noise: .correlated(request), relation: relation,
                bands: nil)
        }
        var ways = [way(.blt(), "blt")]
        for terms in [2, 4, 8] where terms <= work.iterations {
            ways.append(way(.bandedInverse(terms: terms), "banded-inverse:\(terms)"))
        }
        ways += bandCounts(of: work).map {
            banded($0, sampling: sampling, detail: detail, of: work, relation: relation)
        }
        if work.iterations <= mostDenseSteps { ways.append(way(.dense, "dense")) }
        if try sampling.participation(in: work.iterations).mostParticipations <= 1, work.iterations <= 1 << 16 {
            let optimum = try ToeplitzStrategy.optimalForOneParticipation(steps: work.iterations)
            ways.append(
                NoiseWay(
                    name: "optimal for one participation", sampling: sampling, detail: detail,
                    noise: .correlated(.bandedToeplitz(optimum)), relation: relation, bands: nil))
        }
        return ways
    }

    private static func banded(
        _ bands: Int, sampling: SamplingScheme, detail: String, of work: Workload, relation: NeighboringRelation
    ) -> NoiseWay {
        NoiseWay(
            name: "banded-toeplitz:\(bands)", sampling: sampling, detail: detail,
            noise: .correlated(.bandedToeplitz(bands: bands)), relation: relation, bands: bands,
            effort: Double(bands) * Double(work.iterations))
    }
}
