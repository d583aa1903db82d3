import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

@Suite struct TrainerTests {
    private static func plan(_ iterations: Int = 40, z: Double = 1, count: Int = 400) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: count, samplingProbability: 0.2)), iterations: iterations,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(z), delta: 1e-5)
    }

    private static let network: Network = {
        do { return try Network(.softmaxRegression(features: 2, classes: 2)) } catch { fatalError("\(error)") }
    }()

    private static func trainer(
        _ plan: PrivacyPlan, rate: Double = 0.5, options: TrainingOptions = TrainingOptions(nonPrivateSeed: 1)
    ) throws -> Trainer<Network, IdentityAugmented<ScaleByLearningRate<Double>>> {
        try Trainer(
            plan: plan, model: network, optimizer: IdentityAugmented(try sgd(learningRate: rate)), options: options)
    }

    /// Two clouds 2√2 apart with deviation ½: a straight line gets 99.7 % of them, a coin 50 %. Wrong pipelines (a
    /// sign, no learning) stay below 90 %.
    @Test func itLearns() throws {
        let (training, test) = (try twoClouds(400, seed: 1), try twoClouds(200, seed: 2))
        let outcome = try Self.trainer(try Self.plan()).fit(training, evaluatingOn: test)
        #expect(try #require(outcome.evaluation?.accuracy) > 0.95)
        #expect(outcome.stepsTaken == 40)
        #expect(outcome.report.stepsTaken == 40)
        #expect(outcome.report.notCovered.contains { $0.contains("seed") })
        let wrongWay = try Self.trainer(try Self.plan(), options: TrainingOptions(nonPrivateSeed: 1))
        var parameters = outcome.parameters
        parameters.withUnsafeMutableValues { for index in $0.indices { $0[index] *= -1 } }
        #expect(try #require(wrongWay.model.evaluate(on: test, at: parameters).accuracy) < 0.1)
    }

    /// No noise where noise is due would show: with a thousand times the noise nothing can be learned.
    @Test func noiseIsReal() throws {
        let plan = try Self.plan(z: 1000)
        let outcome = try Self.trainer(plan).fit(try twoClouds(400, seed: 1))
        // Each step's noise has deviation 0.5 · 1000/80 per parameter, 40 steps: 39.5; 6 parameters.
        let norm = outcome.parameters.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        // √(χ²₆) lies in (0.4, 6.4) but for one in 10⁵.
        #expect(norm > 0.4 * 39.5 && norm < 6.4 * 39.5)
    }

    /// No clipping would show: an example with huge inputs would carry the parameters away.
    @Test func contributionsAreBounded() throws {
        var training = try twoClouds(400, seed: 1)
        var inputs = training.inputs
        for row in 0..<10 { (inputs[row, 0], inputs[row, 1]) = (1e20, -1e20) }
        training = ListedDataset(inputs: inputs, classes: training.classes, classCount: 2)
        let outcome = try Self.trainer(try Self.plan(z: 0)).fit(training)
        // 40 steps, each at most rate · (examples drawn) · C/N; at most 400 are drawn.
        let norm = outcome.parameters.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        let bound: Double = 40 * 0.5 * 400 / 80
        #expect(norm <= bound)
    }

    @Test func microbatchesChangeNothingButRounding() throws {
        let data = try twoClouds(400, seed: 1)
        let plan = try Self.plan(10)
        let whole = try Self.trainer(plan).fit(data).parameters
        let cut = try Self.trainer(
            plan, options: TrainingOptions(microbatchSize: 7, nonPrivateSeed: 1)
        ).fit(data).parameters
        // Each step sums some 80 gradients of norm ≤ 1 over 80 in Float32: γ₈₀ ≈ 5e-6; ten steps, rate ½, and the
        // gradients' own Lipschitz constant of about 2.
        for (one, other) in zip(whole.values, cut.values) { #expect(abs(one - other) < 5e-4) }
    }

    @Test func theSizeOfTheDataMustBeThePlanned() throws {
        #expect(throws: PlanError.dataSetSizeMismatch(planned: 400, found: 300)) {
            try Self.trainer(try Self.plan()).fit(try twoClouds(300, seed: 1))
        }
    }

    @Test func theDataMustFitTheModel() throws {
        let wide = ListedDataset(
            inputs: Matrix(rows: 400, columns: 3), classes: Array(repeating: 0, count: 400), classCount: 2)
        #expect(throws: ModelError.self) { try Self.trainer(try Self.plan()).fit(wide) }
    }

    @Test func stoppingReportsWhatWasSpent() throws {
        let plan = try Self.plan()
        let outcome = try Self.trainer(plan).fit(try twoClouds(400, seed: 1)) { $0.step == 7 ? .stop : .proceed }
        #expect(outcome.stepsTaken == 7)
        #expect(outcome.report.stepsTaken == 7)
        #expect(outcome.report.guarantees[0].epsilon == (try plan.epsilon(afterIterations: 7)))
    }

    @Test func averagesAreThoseOfTheSteps() throws {
        var average = AveragedParameters()
        let layout = try TreeLayout([("x", [1])])
        let steps: [Float] = [1, 2, 4, 8]
        for (index, value) in steps.enumerated() {
            average.add(ParameterVector(repeating: value, layout: layout), step: index + 1, of: 4, .tail(fraction: 0.5))
        }
        #expect(average.value(orElse: ParameterVector(zeros: layout)).values == [6])
        var moving = AveragedParameters()
        for (index, value) in steps.enumerated() {
            moving.add(
                ParameterVector(repeating: value, layout: layout), step: index + 1, of: 4, .exponential(decay: 0.5))
        }
        // (1·½³ + 2·½² + 4·½ + 8)·½ / (1 − ½⁴): powers of two, exact but for the division.
        #expect(moving.value(orElse: ParameterVector(zeros: layout)).values == [Float(10.625 / 2) / Float(0.9375)])
        #expect(AveragedParameters().value(orElse: ParameterVector(repeating: 3, layout: layout)).values == [3])
    }

    @Test func badOptionsAreNamed() throws {
        #expect(throws: TrainingError.outOfRange(name: "microbatchSize", value: "0", allowed: "at least 1")) {
            try Self.trainer(try Self.plan(), options: TrainingOptions(microbatchSize: 0))
        }
        #expect(throws: TrainingError.self) {
            try Self.trainer(try Self.plan(), options: TrainingOptions(averaging: .exponential(decay: 1)))
        }
        #expect(throws: TrainingError.self) {
            try Self.trainer(try Self.plan(), options: TrainingOptions(averaging: .tail(fraction: .nan)))
        }
        for schedule in [
            EvaluationSchedule.every(0), .adaptive(limit: 0), .adaptive(timeShare: 0), .adaptive(timeShare: .nan),
        ] {
            #expect(throws: TrainingError.self) {
                try Self.trainer(try Self.plan(), options: TrainingOptions(evaluation: schedule))
            }
        }
    }

    @Test func evaluationIsTheMeanOverAll() throws {
        let data = try twoClouds(5, seed: 1)
        let parameters = ParameterVector(zeros: Self.network.layout)
        // All scores zero: the loss is log 2 for each; class 0 is predicted, which 3 of 5 are.
        let evaluation = try Self.network.evaluate(on: data, at: parameters, blockSize: 2)
        #expect(abs(evaluation.loss - log(2)) < 1e-6)
        #expect(evaluation.accuracy == 0.6)
        #expect(evaluation.exampleCount == 5)
    }
}
