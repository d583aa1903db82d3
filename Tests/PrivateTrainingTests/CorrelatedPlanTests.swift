import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyAccounting
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

@testable import PrivateTraining

/// Plans with noise that is correlated over steps, and runs of them.
@Suite struct CorrelatedPlanTests {
    private static let bins = SamplingScheme.ballsInBins(try! BallsInBinsSampler(exampleCount: 40, bins: 4))

    private static func plan(
        _ noise: PlannedNoise, sampling: SamplingScheme = bins, steps: Int = 12,
        budget: PrivacyPlan.Budget = .noiseMultiplier(1), clipping: PlannedClipping = .flat(l2ClipNorm: 1)
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: sampling, iterations: steps, clipping: clipping, budget: budget, delta: 1e-3, noise: noise)
    }

    /// The strategy is fitted to the steps of the plan and to who takes part in them, and to nothing else.
    @Test func strategiesAreFittedToThePlan() throws {
        var goals: [StrategyGoal] = []
        func fit(_ request: StrategyRequest, _ goal: StrategyGoal) throws -> CorrelationStrategy {
            goals.append(goal)
            return try request.fitted(to: goal)
        }
        let cyclic = SamplingScheme.cyclicPoisson(
            try CyclicPoissonSampler(exampleCount: 40, bands: 4, samplingProbability: 0.5))
        let shuffled = SamplingScheme.shuffledEpochs(try ShuffledEpochs(exampleCount: 40, batchSize: 10))
        for sampling in [Self.bins, cyclic] {
            let plan = try PrivacyPlan(
                sampling: sampling, iterations: 12, clipping: .flat(l2ClipNorm: 1), budget: .epsilon(3), delta: 1e-3,
                noise: .correlated(.bandedToeplitz(bands: 4)), fit: fit)
            #expect(try plan.epsilon() <= 3)
            #expect(plan.noise.correlation?.strategy.steps == 12)
        }
        _ = try PrivacyPlan(
            sampling: shuffled, iterations: 12, clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1),
            delta: 1e-3, relation: .replaceOne, noise: .correlated(.blt(buffers: 1), restartEvery: 4), fit: fit)
        #expect(
            goals.map(\.participation) == [
                .epochs(length: 4), .once, .separated(participations: 3, separation: 1),
            ])
        #expect(goals.map(\.steps) == [12, 12, 4])
    }

    /// Where sampling amplifies little, the same budget buys less noise in prefix sums, and the report says how much.
    @Test func reportsCompareWithIndependentNoise() throws {
        let plan = try Self.plan(.correlated(.blt(buffers: 2)), steps: 12, budget: .epsilon(8))
        let report = PrivacyReport(of: plan)
        let strategy = try #require(report.strategy)
        #expect(strategy.kind == "blt" && strategy.participations == 3 && strategy.separation == 4)
        #expect(try strategy.predictedError < #require(strategy.independentError))
        let text = report.text
        for part in ["blt, no bands, 12 steps", "3 participations, at least 4 steps apart", "16 bytes for each"] {
            #expect(text.contains(part), "\(text)")
        }
        #expect(report.notCovered.contains { $0.contains("noise of released steps") })
        let back = try JSONDecoder().decode(PrivacyReport.self, from: JSONEncoder().encode(report))
        #expect(back == report)
        #expect(PrivacyReport(of: try Self.plan(.discreteGaussian)).strategy == nil)
    }

    /// A plan is written with its strategy's numbers, and read as the same plan; a request is read, too.
    @Test func plansSurviveJSON() throws {
        for noise in [
            PlannedNoise.correlated(.bandedToeplitz(bands: 3)), .correlated(.bandedInverse(terms: 2), restartEvery: 6),
            .correlated(.blt(buffers: 1), objective: .max), .correlated(.dense),
        ] {
            let request = try JSONDecoder().decode(PlannedNoise.self, from: JSONEncoder().encode(noise))
            #expect(request == noise)
            let plan = try Self.plan(noise)
            let data = try JSONEncoder().encode(plan)
            #expect(try JSONDecoder().decode(PrivacyPlan.self, from: data) == plan)
        }
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(
                PlannedNoise.self,
                from: Data(#"{"kind": "correlated", "strategy": {"kind": "blt", "buffers": 1}, "bands": 2}"#.utf8))
        }
        #expect("\(error!)".contains("There is no setting 'bands'"))
    }

    @Test func wrongCombinationsAreRefused() throws {
        let poisson = SamplingScheme.poisson(try PoissonSampler(exampleCount: 40, samplingProbability: 0.25))
        #expect(throws: AccountingError.self) { try Self.plan(.correlated(.blt()), sampling: poisson) }
        let short = CorrelationStrategy.bandedInverse(try .bisr(terms: 2, steps: 11))
        #expect(throws: AccountingError.self) { try Self.plan(.correlated(short)) }
        #expect(try Self.plan(.correlated(short, restarts: true)).iterations == 12)
        #expect(throws: PlanError.outOfRange(name: "restartEvery", value: "0", allowed: "at least 1")) {
            try Self.plan(.correlated(.blt(), restartEvery: 0))
        }
        let adaptive = PlannedClipping(
            try AdaptiveQuantileClipping(
                initialL2ClipNorm: 1, countNoiseMultiplier: 10))
        #expect(throws: PlanError.self) { try Self.plan(.correlated(.blt()), clipping: adaptive) }
    }

    /// A scale may change where a strategy restarts, and nowhere else.
    @Test func scalesChangeOnlyWhereStrategiesRestart() throws {
        let layout = try TreeLayout([("x", [3])])
        let start = ParameterVector(zeros: layout)
        func steps(refreshEvery: Int, _ noise: PlannedNoise) throws -> Int {
            let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.1), refreshEvery: refreshEvery)
            var run = try PrivateRun(try Self.plan(noise), optimizer: optimizer, parameters: start, nonPrivateSeed: 1)
            while !run.isFinished {
                try run.step { indices, _ in
                    try DenseRows(
                        Matrix(
                            rows: indices.count, columns: 3, elements: [Float](repeating: 1, count: 3 * indices.count)),
                        layout: layout)
                }
            }
            return run.stepsTaken
        }
        let restarting = PlannedNoise.correlated(.bandedToeplitz(bands: 3), restartEvery: 4)
        #expect(try steps(refreshEvery: 4, restarting) == 12)
        #expect(try steps(refreshEvery: 8, restarting) == 12)
        #expect(throws: PlanError.transformChangesWithinStrategy(interval: 6, steps: 4, restarts: true)) {
            try steps(refreshEvery: 6, restarting)
        }
        #expect(throws: PlanError.transformChangesWithinStrategy(interval: 1, steps: 12, restarts: false)) {
            try steps(refreshEvery: 1, .correlated(.blt()))
        }
        // What does not say for how long its transform stays is found out in the step that has another one.
        let secret = PreClipping(try adam(learningRate: 0.1)) { (_, layout) throws(PrivacyMechanismError) in
            try DiagonalTransform(scale: ParameterVector(repeating: .random(in: 1...2), layout: layout))
        }
        var run = try PrivateRun(
            try Self.plan(.correlated(.blt())), optimizer: secret, parameters: start, nonPrivateSeed: 1)
        func step() throws {
            try run.step { indices, _ in
                try DenseRows(Matrix(rows: indices.count, columns: 3), layout: layout)
            }
        }
        try step()
        #expect(throws: PrivacyMechanismError.sumsChangedUnderStrategy(what: "the same transform")) { try step() }
        #expect(run.stepsTaken == 1)
    }
}
