import LinearAlgebra
import PyTrees
import Testing

@testable import PrivateTraining

@Suite struct TrainingOptionsTests {
    private func closure(parameters: Int) throws -> ClosureModel<ParameterVector> {
        let layout = try TreeLayout([("x", [parameters])])
        return ClosureModel(
            layout: layout, featureCount: 1, outputCount: 1,
            initialParameters: { _ in ParameterVector(zeros: layout) }
        ) { _, _, _, _ in 0 }
    }

    /// Rows of 4 bytes for each parameter, in 256 MB.
    @Test(arguments: [(1_000_000, 64), (10, 512), (125_000, 512), (125_001, 511), (64_000_000, 1), (1 << 30, 1)])
    func microbatchesFitIntoMemory(parameters: Int, size: Int) throws {
        #expect(try TrainingOptions().microbatchSize(for: closure(parameters: parameters)) == size)
        #expect(try TrainingOptions(microbatchSize: 100).microbatchSize(for: closure(parameters: parameters)) == 100)
    }

    /// Factored gradients take up activations, and not the parameters.
    @Test func networksHaveWholeMicrobatches() throws {
        let wide = try Network(.multilayerPerceptron(dims: [784, 4096, 10]))
        // Values and gradients of both layers, the label, the loss and its gradient.
        #expect(wide.gradientBytesPerExample == 4 * (2 * (4096 + 10) + 3))
        #expect(TrainingOptions().microbatchSize(for: wide) == 512)
        #expect(TrainingOptions().microbatchSize(for: try Network(.mnistConvolutional())) == 512)
    }

    private func time(_ steps: Double, _ evaluation: Double) -> TrainingTime {
        var time = TrainingTime()
        (time.steps, time.evaluation) = (steps, evaluation)
        return time
    }

    private func due(_ schedule: EvaluationSchedule, of iterations: Int) -> [Int] {
        (1...iterations).filter {
            schedule.isDue(at: $0, of: iterations, after: TrainingTime(), lastEvaluation: nil)
        }
    }

    @Test func fixedSchedulesDependOnTheStepAlone() {
        #expect(due(.atEnd, of: 7) == [7])
        #expect(due(.every(3), of: 7) == [3, 6, 7])
        for step in 1...7 {
            let early = EvaluationSchedule.every(3).isDue(
                at: step, of: 7, after: time(0, 100), lastEvaluation: 100)
            #expect(early == [3, 6, 7].contains(step))
        }
    }

    @Test(arguments: [1, 2, 19, 20, 21, 39, 40, 41, 60, 1000]) func adaptiveOnesAreFew(iterations: Int) {
        let steps = due(.adaptive(), of: iterations)
        #expect(steps.count <= 20 && steps.last == iterations)
        #expect(steps.count >= min(iterations, 10))
    }

    /// Where the number of steps or the limit is near the largest number.
    @Test func adaptiveOnesAreCountedUpToTheLargestNumber() {
        func isDue(_ step: Int, of iterations: Int, limit: Int) -> Bool {
            EvaluationSchedule.adaptive(limit: limit).isDue(
                at: step, of: iterations, after: TrainingTime(), lastEvaluation: nil)
        }
        #expect(isDue(3, of: 1000, limit: .max))
        #expect(isDue(1 << 62, of: .max, limit: 2) && !isDue((1 << 62) - 1, of: .max, limit: 2))
        #expect(isDue(1, of: .max, limit: .max) && !isDue(.max - 1, of: .max, limit: 1))
    }

    @Test func adaptiveOnesTakeABoundedShareOfTheTime() {
        func isDue(_ step: Int, _ time: TrainingTime, _ last: Double?) -> Bool {
            EvaluationSchedule.adaptive(limit: 20, timeShare: 0.2).isDue(
                at: step, of: 100, after: time, lastEvaluation: last)
        }
        // One second more of evaluations: 2 of 10 are a fifth, 2 of 9 are more.
        #expect(isDue(5, time(8, 1), 1))
        #expect(!isDue(5, time(7, 1), 1))
        #expect(isDue(5, time(0, 0), nil))
        #expect(!isDue(6, time(1000, 0), nil))
        #expect(isDue(100, time(0, 100), 100))
    }

    /// Evaluations that take long are passed over, and nothing else changes.
    @Test func slowEvaluationsAreFewAndChangeNothing() throws {
        let data = try twoClouds(400, seed: 1)
        let plan = try PrivacyPlan(
            exampleCount: 400, expectedBatchSize: 40, epochs: 6, clipping: .flat(l2ClipNorm: 1),
            budget: .noiseMultiplier(1), delta: 1e-5)
        func fit(_ schedule: EvaluationSchedule, _ test: some Dataset) throws -> (ParameterVector, [Int], TrainingTime)
        {
            let trainer = try Trainer(
                plan: plan, model: Network(.softmaxRegression(features: 2, classes: 2)),
                optimizer: sgd(learningRate: 0.5),
                options: TrainingOptions(evaluation: schedule, nonPrivateSeed: 1))
            var evaluated: [Int] = []
            let outcome = try trainer.fit(data, evaluatingOn: test) { progress in
                if progress.evaluation != nil { evaluated.append(progress.step) }
                return .proceed
            }
            return (outcome.parameters, evaluated, outcome.time)
        }
        let (parameters, evaluated, time) = try fit(.adaptive(timeShare: 1e-9), twoClouds(50, seed: 2))
        #expect(evaluated == [3, 60])
        #expect(time.steps > 0 && time.evaluation > 0 && time.checkpoints == 0)
        let (same, every, _) = try fit(.every(1), twoClouds(50, seed: 2))
        #expect(every == Array(1...60) && same == parameters)
    }

    @Test func outcomesArePrintedInBrief() throws {
        let plan = try PrivacyPlan(
            exampleCount: 400, expectedBatchSize: 40, epochs: 1, clipping: .flat(l2ClipNorm: 1), budget: .epsilon(3),
            delta: 1e-5)
        let trainer = try Trainer(
            plan: plan, model: Network(.multilayerPerceptron(dims: [2, 500, 2])), optimizer: sgd(learningRate: 0.5),
            options: TrainingOptions(nonPrivateSeed: 1))
        let outcome = try trainer.fit(twoClouds(400, seed: 1), evaluatingOn: twoClouds(50, seed: 2))
        let text = "\(outcome)"
        for part in [
            "10 of 10 steps, ε = ", " at δ = 1e-05 by pld", "SEEDED", "accuracy ", "on 50 other examples", "s in steps",
            "dense1/kernel float32[2,500] [[", "dense2/bias float32[2] [", "…",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
        #expect(text.count < 1000)
    }
}
