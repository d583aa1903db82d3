import Foundation
import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

@Suite struct DropoutRunTests {
    private static func trainer(
        iterations: Int, rate: Double = 0.5, learningRate: Double = 0.5
    ) throws -> Trainer<Network, IdentityAugmented<ScaleByLearningRate<Double>>> {
        let plan = try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: 40, samplingProbability: 0.999)), iterations: iterations,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(0.05), delta: 1e-5)
        let network = try Network(
            NetworkArchitecture(
                input: .features(2), layers: [.dropout(rate: rate), .dense(outputs: 2, activation: .identity)],
                loss: .softmaxCrossEntropy))
        return try Trainer(
            plan: plan, model: network, optimizer: IdentityAugmented(try sgd(learningRate: learningRate)),
            options: TrainingOptions(nonPrivateSeed: 1))
    }

    @Test func aResumedRunDropsWhatTheWholeOneDoes() throws {
        try withTemporaryFolder { folder in
            let training = try twoClouds(40, seed: 1)
            let trainer = try Self.trainer(iterations: 9)
            let whole = try trainer.fit(training)
            let checkpoints: CheckpointFolder<IdentityAugmented<ScaleByLearningRate<Double>>> =
                try CheckpointFolder(folder, interval: 2)
            _ = try trainer.fit(training, checkpoints: checkpoints) { $0.step == 4 ? .stop : .proceed }
            #expect(try trainer.fit(training, checkpoints: checkpoints).parameters == whole.parameters)
            // Control: what is dropped counts.
            #expect(try Self.trainer(iterations: 9, rate: 0).fit(training).parameters != whole.parameters)
        }
    }

    /// Two small steps from the same place over nearly all examples are nearly the same, but for what is dropped.
    @Test(arguments: [0, 0.5])
    func everyStepDropsOtherNumbers(_ rate: Double) throws {
        let training = try twoClouds(40, seed: 1)
        func parameters(after iterations: Int) throws -> [Float] {
            try Self.trainer(iterations: iterations, rate: rate, learningRate: 1e-3).fit(training).parameters.values
        }
        let start = try Self.trainer(iterations: 1).model.initialParameters(seed: 0).values
        let (one, two) = (try parameters(after: 1), try parameters(after: 2))
        let first = zip(one, start).map { Double($0) - Double($1) }
        let second = zip(two, one).map { Double($0) - Double($1) }
        let distance = zip(first, second).reduce(0) { max($0, abs($1.0 - $1.1)) }
        let size = first.reduce(0) { max($0, abs($1)) }
        // One example of forty more or less moves the sum by a fortieth; the first step of 10⁻³ moves gradients by less,
        // and noise of 0.05 by some hundredth. Half of all numbers dropped move it by some 1/√40.
        #expect((distance > 0.05 * size) == (rate > 0), "\(distance) of \(size)")
    }
}
