import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

/// Training that begins from given parameters, and training with frozen leaves.
@Suite struct GivenParametersTests {
    private static func plan(z: Double = 1, iterations: Int = 6) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: 200, samplingProbability: 0.3)), iterations: iterations,
            clipping: .flat(l2ClipNorm: 0.1), budget: .noiseMultiplier(z), delta: 1e-5)
    }

    private static func network() throws -> Network {
        try Network(.multilayerPerceptron(dims: [2, 3, 2], activation: .tanh))
    }

    private static func trainer<Model: TrainableModel>(
        _ model: Model, _ plan: PrivacyPlan, seed: UInt64? = 1, initializationSeed: UInt64 = 0
    ) throws -> Trainer<Model, IdentityAugmented<ScaleByLearningRate<Double>>> {
        try Trainer(
            plan: plan, model: model, optimizer: sgd(learningRate: 0.5),
            options: TrainingOptions(initializationSeed: initializationSeed, nonPrivateSeed: seed))
    }

    @Test func trainingBeginsFromWhatIsGiven() throws {
        let (network, data) = (try Self.network(), try twoClouds(200, seed: 1))
        let start = network.initialParameters(seed: 7)
        let given = try Self.trainer(network, Self.plan()).fit(data, from: start)
        let drawn = try Self.trainer(network, Self.plan(), initializationSeed: 7).fit(data)
        #expect(given.parameters == drawn.parameters)
        #expect(try given.parameters != Self.trainer(network, Self.plan()).fit(data).parameters)
        #expect(given.report.notCovered.contains { $0.contains("training began from") && $0.contains("public") })
        #expect(!drawn.report.notCovered.contains { $0.contains("training began from") })
        let none = try Self.trainer(network, Self.plan(iterations: 0)).fit(data, from: start)
        #expect(none.parameters == start)
    }

    /// The first checkpoint holds them: a run that goes on needs them no more, and its report still tells of them.
    @Test func aRunThatGoesOnHasThemInItsCheckpoint() throws {
        try withTemporaryFolder { folder in
            let (network, data) = (try Self.network(), try twoClouds(200, seed: 1))
            let start = network.initialParameters(seed: 7)
            let trainer = try Self.trainer(network, Self.plan())
            let whole = try trainer.fit(data, from: start)
            let checkpoints = try CheckpointFolder<IdentityAugmented<ScaleByLearningRate<Double>>>(folder, interval: 2)
            _ = try trainer.fit(data, from: start, checkpoints: checkpoints) { $0.step == 3 ? .stop : .proceed }
            let rest = try trainer.fit(data, checkpoints: checkpoints)
            #expect(rest.parameters == whole.parameters)
            #expect(rest.report.notCovered.contains { $0.contains("training began from") })
        }
    }

    @Test func frozenModelsTellOfTheBeginningOnce() throws {
        let (network, data) = (try Self.network(), try twoClouds(200, seed: 1))
        let start = network.initialParameters(seed: 7)
        for frozen in [[], ["dense1"]] as [[TreePath]] {
            let model = try network.freezing(frozen, of: start)
            let trainer = try Self.trainer(model, Self.plan(iterations: 1))
            for given in [nil, model.initialParameters(seed: 0)] {
                let report = try trainer.fit(data, from: given).report
                #expect(report.notCovered.count { $0.contains("training began from") } == 1)
            }
        }
    }

    /// What was told of at the beginning is told of at the end, also where another model of the same parameters, which
    /// does not know of it, goes on: its checkpoints have the same leaves, and nothing is frozen.
    @Test func whoGoesOnTellsWhatTheFirstPartTold() throws {
        try withTemporaryFolder { folder in
            let (network, data) = (try Self.network(), try twoClouds(200, seed: 1))
            let checkpoints = try CheckpointFolder<IdentityAugmented<ScaleByLearningRate<Double>>>(folder, interval: 2)
            let model = try network.freezing([], of: network.initialParameters(seed: 7))
            _ = try Self.trainer(model, Self.plan()).fit(data, checkpoints: checkpoints) {
                $0.step == 3 ? .stop : .proceed
            }
            let rest = try Self.trainer(network, Self.plan()).fit(data, checkpoints: checkpoints)
            #expect(rest.report.notCovered.count { $0.contains("training began from") } == 1)
        }
    }

    /// Frozen values stand in no checkpoint: a run goes on with the same ones, in every bit, or not at all.
    @Test func aRunGoesOnWithTheSameFrozenValuesOnly() throws {
        try withTemporaryFolder { folder in
            let (network, data) = (try Self.network(), try twoClouds(200, seed: 1))
            let start = network.initialParameters(seed: 7)
            let checkpoints = try CheckpointFolder<IdentityAugmented<ScaleByLearningRate<Double>>>(folder, interval: 2)
            let model = try network.freezing(["dense1/kernel"], of: start)
            let trainer = try Self.trainer(model, Self.plan())
            let whole = try trainer.fit(data)
            _ = try trainer.fit(data, checkpoints: checkpoints) { $0.step == 3 ? .stop : .proceed }
            var other = start
            other.withUnsafeMutableValues { $0[0] = $0[0].nextUp }
            let path = folder.appending(path: "step-000000003").path
            #expect(throws: CheckpointError.otherFixedParameters(path: path)) {
                let moved = try network.freezing(["dense1/kernel"], of: other)
                _ = try Self.trainer(moved, Self.plan()).fit(data, checkpoints: checkpoints)
            }
            // Control: trained leaves are in the checkpoint, and may be given otherwise.
            var trainedOnly = start
            let last = trainedOnly.values.count - 1
            trainedOnly.withUnsafeMutableValues { $0[last] += 1 }
            let same = try network.freezing(["dense1/kernel"], of: trainedOnly)
            let rest = try Self.trainer(same, Self.plan()).fit(data, checkpoints: checkpoints)
            #expect(rest.parameters == whole.parameters)
        }
    }

    @Test func parametersOfAnotherModelAreRefused() throws {
        let (network, data) = (try Self.network(), try twoClouds(200, seed: 1))
        let trainer = try Self.trainer(network, Self.plan())
        func error(_ leaves: [(path: TreePath, shape: [Int])]) throws -> ModelError? {
            let parameters = ParameterVector(zeros: try TreeLayout(leaves))
            return #expect(throws: ModelError.self) { try trainer.fit(data, from: parameters) }
        }
        let own = network.layout.leaves
        var leaves = own.map { (path: $0.path, shape: $0.shape) }
        leaves[2].shape = [3, 4]
        guard case .parametersDoNotFit(let found?, own[2]) = try error(leaves) else {
            Issue.record("The third leaf is not named.")
            return
        }
        #expect(found.path == "dense2/kernel" && found.shape == [3, 4])
        #expect(try error(Array(leaves[..<2])) == .parametersDoNotFit(found: nil, expected: own[2]))
        let more = own.map { (path: $0.path, shape: $0.shape) } + [(path: "extra", shape: [1])]
        guard case .parametersDoNotFit(let extra?, nil) = try error(more) else {
            Issue.record("The leaf too many is not named.")
            return
        }
        #expect(extra.path == "extra")
        var broken = network.initialParameters(seed: 1)
        broken.withUnsafeMutableValues { $0[own[1].range.lowerBound] = .nan }
        #expect(throws: ModelError.self) { try trainer.fit(data, from: broken) }
    }

    /// **Guarantee** of frozen leaves: they keep every bit, and clip norms are those of the trained part. Without
    /// noise, on one step, the trained part moves by its own clipped mean.
    @Test func frozenLeavesStayAndCostNothing() throws {
        let (network, data) = (try Self.network(), try twoClouds(200, seed: 1))
        let start = network.initialParameters(seed: 7)
        let model = try network.freezing(["dense1"], of: start)
        let noisy = try Self.trainer(model, Self.plan()).fit(data)
        let whole = model.whole(noisy.parameters)
        for path in ["dense1/kernel", "dense1/bias"] as [TreePath] { #expect(whole[path] == start[path]) }
        #expect(whole["dense2/kernel"] != start["dense2/kernel"])
        #expect(noisy.report.notCovered.contains { $0.contains("dense1/kernel, dense1/bias") })

        let plan = try Self.plan(z: 0, iterations: 1)
        let moved = model.whole(try Self.trainer(model, plan).fit(data).parameters)
        let batch = plan.sampling.batch(at: 0, from: SamplingSource(nonPrivateSeed: 1)).examples
        let examples = try data.examples(at: batch)
        var workspace = network.makeWorkspace()
        let gradients = network.gradients(of: examples, at: start, workspace: &workspace)
        let trained = model.mask.selectedColumns.flatMap(\.self)
        /// Where the trained part goes if norms are taken over `columns`.
        func expected(normsOver columns: [Int]) -> [Double] {
            var sum = [Double](repeating: 0, count: trained.count)
            for example in 0..<examples.count {
                var row = [Float](repeating: 0, count: network.layout.count)
                var span = row.mutableSpan
                gradients.copyGradient(of: example, into: &span)
                let norm = columns.reduce(0) { $0 + Double(row[$1]) * Double(row[$1]) }.squareRoot()
                let factor = min(1, 0.1 / norm)
                for (place, column) in trained.enumerated() { sum[place] += factor * Double(row[column]) }
            }
            return zip(trained, sum).map { Double(start.values[$0]) - 0.5 * $1 / plan.normalizeBy }
        }
        func distance(_ expected: [Double]) -> Double {
            zip(trained, expected).reduce(0) { max($0, abs(Double(moved.values[$1.0]) - $1.1)) }
        }
        // Some 60 gradients of norm 0.1 over 60 in Float32, and a rounding of the parameters.
        #expect(distance(expected(normsOver: trained)) < 1e-6)
        // Control: norms over all leaves, of which the update is masked afterwards.
        #expect(distance(expected(normsOver: Array(0..<network.layout.count))) > 1e-4)
    }
}
