import Foundation
import LinearAlgebra
import PrivateTraining
import Testing

/// Whole training runs on real teams, however small the work: the sanitizers look for races and bad accesses in them.
///
/// The thread limit is one for the process, so each runs in a process of its own.
struct TeamRunTests {
    private static func plan() throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: 300, samplingProbability: 0.2)), iterations: 6,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1), delta: 1e-5)
    }

    /// The parameters after a run on teams of up to `threads`.
    private static func trained(_ model: some TrainableModel<ParameterVector>, threads: Int, isScaled: Bool) throws
        -> [UInt32]
    {
        Threads.limit = threads
        Threads.sharesSmallWork = true
        let options = TrainingOptions(microbatchSize: 16, nonPrivateSeed: 1)
        let data = try twoClouds(300, seed: 1)
        let adam = try adam(learningRate: 0.01)
        let parameters =
            if isScaled {
                try Trainer(plan: plan(), model: model, optimizer: ScaleThenPrivatize(adam), options: options)
                    .fit(data).parameters
            } else {
                try Trainer(plan: plan(), model: model, optimizer: IdentityAugmented(adam), options: options)
                    .fit(data).parameters
            }
        return parameters.values.map(\.bitPattern)
    }

    /// Ends the process: successfully if a run is the same in every bit on three threads as on one, and has learned.
    private static func compare(_ model: some TrainableModel<ParameterVector>) throws -> Never {
        let start = model.initialParameters(seed: 1).values.map(\.bitPattern)
        for isScaled in [false, true] {
            let alone = try trained(model, threads: 1, isScaled: isScaled)
            guard try trained(model, threads: 3, isScaled: isScaled) == alone else { exit(2) }
            guard alone != start, alone.allSatisfy({ Float(bitPattern: $0).isFinite }) else { exit(3) }
        }
        exit(EXIT_SUCCESS)
    }

    @Test func factoredGradientsOnTeams() async {
        await #expect(processExitsWith: .success) {
            try Self.compare(Network(.multilayerPerceptron(dims: [2, 8, 2])))
        }
    }

    @Test func denseGradientsOnTeams() async {
        await #expect(processExitsWith: .success) {
            let layout = try TreeLayout([("kernel", [2, 2]), ("bias", [2])])
            // Squared errors of two linear outputs against the classes.
            let model = ClosureModel(
                layout: layout, featureCount: 2, outputCount: 2,
                initialParameters: { _ in ParameterVector(repeating: 0.1, layout: layout) }
            ) { inputs, target, parameters, gradient in
                guard case .class(let label) = target else { preconditionFailure("Classes are needed.") }
                var loss: Float = 0
                for output in 0..<2 {
                    let wanted: Float = output == label ? 1 : 0
                    let error =
                        (0..<2).reduce(parameters.values[4 + output]) {
                            $0 + inputs[$1] * parameters.values[2 * $1 + output]
                        } - wanted
                    for input in 0..<2 { gradient[2 * input + output] = error * inputs[input] }
                    gradient[4 + output] = error
                    loss += error * error / 2
                }
                return loss
            }
            try Self.compare(model)
        }
    }
}
