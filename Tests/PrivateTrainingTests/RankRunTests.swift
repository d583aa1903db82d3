import Foundation
import LinearAlgebra
import PrivateTraining
import Testing

@testable import PrivacyMechanisms

/// **Guarantee:** a run on several ranks that read the same data is that of one rank, in every bit, whatever their
/// number: sums, noise, clip norms that adapt, and what goes on from checkpoints.
@Suite(.serialized) struct RankRunTests {
    private static let count = 240

    private static func plan(
        _ noise: PlannedNoise = .discreteGaussian, clipping: PlannedClipping = .flat(l2ClipNorm: 1),
        sampling: SamplingScheme? = nil, steps: Int = 6, unit: PrivacyUnit = .example
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: sampling ?? .poisson(PoissonSampler(exampleCount: count, samplingProbability: 0.2)),
            iterations: steps, clipping: clipping, budget: .noiseMultiplier(1), delta: 1e-5, unit: unit,
            noise: noise)
    }

    /// Enough parameters for four ranks to have chunks of noise to themselves, and one left over.
    private static func network() throws -> Network { try Network(.multilayerPerceptron(dims: [2, 3500, 2])) }

    /// Gradients that are rows, of as many columns.
    private static func closure() throws -> ClosureModel<ParameterVector> {
        let layout = try TreeLayout([("kernel", [2, 2]), ("unused", [17_000]), ("bias", [2])])
        return ClosureModel(
            layout: layout, featureCount: 2, outputCount: 2,
            initialParameters: { _ in ParameterVector(repeating: 0.1, layout: layout) }
        ) { inputs, target, parameters, gradient in
            guard case .class(let label) = target else { preconditionFailure("Classes are needed.") }
            for output in 0..<2 {
                let wanted: Float = output == label ? 1 : 0
                let product: Float = inputs[0] * parameters.values[output] + inputs[1] * parameters.values[2 + output]
                let error = product + parameters.values[17_004 + output] - wanted
                gradient[output] = error * inputs[0]
                gradient[2 + output] = error * inputs[1]
                gradient[17_004 + output] = error
            }
            return 0
        }
    }

    /// The bits of the parameters after a run, or after `steps` of it.
    private static func trained<Model: TrainableModel<ParameterVector>, Optimizer: AugmentedGradientTransformation>(
        _ model: Model, _ optimizer: Optimizer, _ plan: PrivacyPlan, ranks: Ranks?, folder: URL? = nil,
        steps: Int? = nil, examples: Int = count
    ) throws -> [UInt32] {
        let trainer = try Trainer(
            plan: plan, model: model, optimizer: optimizer,
            options: TrainingOptions(microbatchSize: 16, nonPrivateSeed: 3), ranks: ranks)
        let checkpoints = try folder.map { try CheckpointFolder<Optimizer>($0, interval: 1) }
        return try trainer.fit(twoClouds(examples, seed: 1), checkpoints: checkpoints) { progress in
            progress.step == steps ? .stop : .proceed
        }.parameters.values.map(\.bitPattern)
    }

    private static func expectEqualRuns<Model: TrainableModel<ParameterVector>>(
        _ model: Model, _ optimizer: some AugmentedGradientTransformation, _ plan: PrivacyPlan, ranks: [Int],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let alone = try trained(model, optimizer, plan, ranks: nil)
        #expect(alone != model.initialParameters(seed: 0).values.map(\.bitPattern), sourceLocation: sourceLocation)
        for count in ranks {
            let together = LocalRanks.run(count) { try trained(model, optimizer, plan, ranks: $0) }
            #expect(together == Array(repeating: alone, count: count), "\(count)", sourceLocation: sourceLocation)
        }
    }

    /// Rank 0 evaluates, at the end too, and decides alone when it is due and whether to stop.
    @Test func evaluationIsRankZeros() throws {
        let accuracies = LocalRanks.run(2) { ranks -> Double? in
            let trainer = try Trainer(
                plan: Self.plan(), model: Self.network(), optimizer: sgd(learningRate: 0.1),
                options: TrainingOptions(evaluation: .every(2)), ranks: ranks)
            return try trainer.fit(twoClouds(Self.count, seed: 1), evaluatingOn: twoClouds(40, seed: 2)).evaluation?
                .accuracy
        }
        #expect(accuracies[0] != nil && accuracies[1] == nil)
        let stopped = LocalRanks.run(2) { ranks -> Int in
            let trainer = try Trainer(
                plan: Self.plan(), model: Self.network(), optimizer: sgd(learningRate: 0.1), ranks: ranks)
            return try trainer.fit(twoClouds(Self.count, seed: 1), evaluatingOn: twoClouds(40, seed: 2)) {
                $0.step == 3 ? .stop : .proceed
            }.stepsTaken
        }
        #expect(stopped == [3, 3])
    }

    @Test func factoredGradients() throws {
        try Self.expectEqualRuns(
            Self.network(), IdentityAugmented(adam(learningRate: 0.01)), Self.plan(), ranks: [1, 2, 3, 4])
    }

    @Test func scaledFactoredGradients() throws {
        try Self.expectEqualRuns(
            Self.network(), ScaleThenPrivatize(adam(learningRate: 0.01)), Self.plan(), ranks: [2, 3])
    }

    @Test func denseGradients() throws {
        try Self.expectEqualRuns(
            Self.closure(), IdentityAugmented(adam(learningRate: 0.01)), Self.plan(), ranks: [1, 2, 3, 4])
        try Self.expectEqualRuns(
            Self.closure(), ScaleThenPrivatize(adam(learningRate: 0.01)), Self.plan(), ranks: [3])
    }

    @Test func adaptiveClipNorms() throws {
        let clipping = PlannedClipping.adaptiveQuantile(
            try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 5))
        try Self.expectEqualRuns(
            Self.network(), IdentityAugmented(adam(learningRate: 0.01)), Self.plan(clipping: clipping), ranks: [2, 3])
    }

    /// Users' means, clip by clip, and a release of means and variances before the first step, of which there is one.
    @Test func usersAndNormalizations() throws {
        let owners = (0..<Self.count).map { $0 / 3 }
        let users = SamplingScheme.user(try UserSampler(owners: owners, samplingProbability: 0.3))
        let optimizer = IdentityAugmented(try adam(learningRate: 0.01))
        try Self.expectEqualRuns(Self.network(), optimizer, Self.plan(sampling: users, unit: .user), ranks: [2, 3])
        let plan = try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: Self.count, samplingProbability: 0.2)), iterations: 4,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1), delta: 1e-5,
            normalization: PrivateNormalization(channelCount: 2, l2ClipNorm: 1, noiseMultiplier: 8))
        try Self.expectEqualRuns(Self.network(), optimizer, plan, ranks: [2])
    }

    /// Sums of so many rows that 32 bits do not hold them.
    @Test func manyRows() throws {
        let sampling = SamplingScheme.poisson(try PoissonSampler(exampleCount: 1500, samplingProbability: 0.9))
        let plan = try Self.plan(sampling: sampling, steps: 1)
        let optimizer = IdentityAugmented(try sgd(learningRate: 0.1))
        let alone = try Self.trained(Self.closure(), optimizer, plan, ranks: nil, examples: 1500)
        let together = LocalRanks.run(2) {
            try Self.trained(Self.closure(), optimizer, plan, ranks: $0, examples: 1500)
        }
        #expect(together == [alone, alone])
    }

    /// More ranks than examples in a batch: some add nothing, and take part in everything.
    @Test func emptyBatchesTakePart() throws {
        let sampling = SamplingScheme.poisson(
            try PoissonSampler(exampleCount: Self.count, samplingProbability: 0.004))
        try Self.expectEqualRuns(
            Self.network(), IdentityAugmented(adam(learningRate: 0.01)), Self.plan(sampling: sampling), ranks: [4])
    }

    @Test(arguments: ["bands", "buffers", "combination"])
    func correlatedNoise(kind: String) throws {
        let noise: PlannedNoise =
            switch kind {
            case "bands": .correlated(.bandedToeplitz(bands: 3))
            case "buffers": .correlated(.blt(buffers: 2))
            default: .correlated(.dense)
            }
        let bins = SamplingScheme.ballsInBins(try BallsInBinsSampler(exampleCount: Self.count, bins: 4))
        let plan = try Self.plan(noise, sampling: bins, steps: 8)
        let optimizer = IdentityAugmented(try sgd(learningRate: 0.1))
        try Self.expectEqualRuns(Self.closure(), optimizer, plan, ranks: [2, 3])
        // Past sums and noise are gathered into checkpoints, and dealt out to another number of ranks.
        try expectEqualResumption(optimizer, plan, from: 3, to: 2, at: 5)
        try expectEqualResumption(optimizer, plan, from: 2, to: 1, at: 2)
    }

    private func expectEqualResumption<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, _ plan: PrivacyPlan, from first: Int, to second: Int, at step: Int
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "RankRunTests-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = try Self.closure()
        let alone = try Self.trained(model, optimizer, plan, ranks: nil)
        let stopped = LocalRanks.run(first) {
            try Self.trained(model, optimizer, plan, ranks: $0, folder: folder, steps: step)
        }
        #expect(stopped[0] != alone)
        let resumed = LocalRanks.run(second) { try Self.trained(model, optimizer, plan, ranks: $0, folder: folder) }
        #expect(resumed == Array(repeating: alone, count: second))
    }

    @Test func aRunGoesOnOnAnotherNumberOfRanks() throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.01))
        try expectEqualResumption(optimizer, Self.plan(), from: 2, to: 3, at: 3)
        try expectEqualResumption(optimizer, Self.plan(), from: 3, to: 1, at: 4)
        // Moments that each rank has its share of.
        let shared = IdentityAugmented(try adam(learningRate: 0.01))
        try expectEqualResumption(shared, Self.plan(), from: 2, to: 3, at: 3)
        try expectEqualResumption(shared, Self.plan(), from: 3, to: 1, at: 4)
        try expectEqualResumption(shared, Self.plan(), from: 1, to: 2, at: 2)
    }

    /// Without a seed every rank has noise of its own key, and the batches of rank 0.
    @Test func privateRunsHaveOneSetOfParameters() throws {
        let results = LocalRanks.run(3) { ranks -> (parameters: [Float], seen: [[Int]]) in
            var run = try PrivateRun(
                Self.plan(), optimizer: sgd(learningRate: 0.1),
                parameters: ParameterVector(zeros: Self.closure().layout), ranks: ranks)
            var seen: [[Int]] = []
            while !run.isFinished {
                var indices: [Int] = []
                try run.step(microbatchSize: 16) { asked, parameters in
                    indices += asked
                    return try DenseRows(Matrix(rows: asked.count, columns: 17_006), layout: parameters.layout)
                }
                seen.append(indices)
            }
            return (parameters: run.vector.values, seen: seen)
        }
        #expect(results.allSatisfy { $0.parameters == results[0].parameters })
        for step in 0..<6 {
            // Each example of a batch is one rank's, and ranks have about as many.
            let batch = results.flatMap { $0.seen[step] }
            #expect(Set(batch).count == batch.count)
            let counts = results.map { $0.seen[step].count }
            #expect(counts.max()! - counts.min()! <= 16)
        }
        // Sums of nothing: what is there is one copy of the noise, of deviation z·C/B̄ in a step.
        let values = results[0].parameters.map(Double.init)
        let expected = 0.1 * 6.0.squareRoot() / (0.2 * Double(Self.count))
        let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
        let tolerance: Double = 6 / (2 * Double(values.count)).squareRoot()
        #expect(abs(deviation / expected - 1) < tolerance)
        // A copy from each rank, and a share of a rank that adds none, would be seen.
        #expect(abs(deviation * 3.0.squareRoot() / expected - 1) > tolerance)
        for share in [0..<4096, 4096..<8192, 8192..<12_288, 12_288..<17_006] {
            #expect(values[share].contains { $0 != 0 })
        }
    }

    /// What each rank exchanges in the steps of a run.
    private static func traffic<Model: TrainableModel<ParameterVector>>(
        _ model: Model, ranks: Ranks
    ) throws -> [CountingCollective.Traffic] {
        let counting = CountingCollective(ranks.collective)
        var run = try PrivateRun(
            plan(), optimizer: adam(learningRate: 0.01), parameters: model.initialParameters(seed: 1),
            nonPrivateSeed: 3, ranks: Ranks(counting))
        let data = try twoClouds(count, seed: 1)
        var workspace = model.makeWorkspace()
        var traffic: [CountingCollective.Traffic] = []
        while !run.isFinished {
            _ = counting.takeTraffic()
            try run.step(microbatchSize: 16) { indices, parameters in
                model.gradients(of: try data.examples(at: indices), at: parameters, workspace: &workspace)
            }
            traffic.append(counting.takeTraffic())
        }
        return traffic
    }

    /// At most (8 + 4)·P·(R − 1)/R bytes a step and rank, and what does not grow with P, where ranks share whole chunks
    /// of noise. Layers of which some examples are added as rows send both of their sums.
    @Test(arguments: [2, 3]) func bytesAreCounted(ranks count: Int) throws {
        func expect(_ traffic: [[CountingCollective.Traffic]], parameters: Int, atMost bytes: Int) {
            // What the ranks with the smallest share get of the others.
            let others = parameters - 4096 * ((parameters + 4095) / 4096 / count)
            for (rank, step) in traffic.enumerated().flatMap({ rank, steps in steps.map { (rank, $0) } }) {
                #expect(step.bytes <= bytes * others + 2000, "rank \(rank)")
                // Less would not bring all of it.
                #expect(step.bytes >= 12 * (others - 4096), "rank \(rank)")
            }
        }
        let (rows, factors) = (try Self.closure(), try Self.network())
        expect(
            LocalRanks.run(count) { try Self.traffic(rows, ranks: $0) }, parameters: rows.layout.count, atMost: 12)
        expect(
            LocalRanks.run(count) { try Self.traffic(factors, ranks: $0) }, parameters: factors.layout.count,
            atMost: 20)
    }

    /// Each rank maps its share of the images, of which there may be fewer than ranks; others than those of the first
    /// are refused, since nobody would see it afterwards.
    @Test(arguments: [2, 37]) func featuresAreShared(images count: Int) throws {
        let map = try ScatteringFeatures(height: 8, width: 8)
        @Sendable func images(_ count: Int) throws -> InMemoryDataset {
            let values = (0..<count * 64).map { Float(($0 * 37) % 101) / 101 }
            return InMemoryDataset(
                inputs: Matrix(rows: count, columns: 64, elements: values),
                targets: .classes(Array(repeating: 0, count: count), classCount: 2))
        }
        let alone = try images(count).mapped(by: map)
        for mapped in LocalRanks.run(3, { try images(count).mapped(by: map, over: $0) }) {
            #expect(mapped.inputs == alone.inputs && mapped.count == count)
        }
        let errors = LocalRanks.run(2) { ranks -> String in
            do {
                _ = try images(count + ranks.rank).mapped(by: map, over: ranks)
                return ""
            } catch { return "\(error)" }
        }
        #expect(errors[0].contains("Rank 1 has the data (by their digest)") && errors[1] == errors[0])
    }

    @Test func ranksThatDifferAreNamed() throws {
        let errors = LocalRanks.run(2) { ranks -> String in
            let plan = try Self.plan(steps: ranks.rank == 1 ? 7 : 6)
            do {
                _ = try PrivateRun(
                    plan, optimizer: sgd(learningRate: 0.1), parameters: ParameterVector(zeros: Self.closure().layout),
                    ranks: ranks)
                return ""
            } catch { return "\(error)" }
        }
        #expect(errors[0] == errors[1])
        #expect(errors[0].contains("Rank 1 has the plan"))
        #expect(!errors[0].contains(/[0-9a-f]{16}/))
    }

    /// Each rank steps with its own columns: nobody would see that they do so at different rates.
    @Test func otherHyperparametersAreRefused() throws {
        let errors = LocalRanks.run(2) { ranks -> String in
            do {
                _ = try PrivateRun(
                    Self.plan(), optimizer: sgd(learningRate: ranks.rank == 1 ? 0.2 : 0.1),
                    parameters: ParameterVector(zeros: Self.closure().layout), ranks: ranks)
                return ""
            } catch { return "\(error)" }
        }
        #expect(errors[0].contains("Rank 1 has the hyperparameters of the optimizer") && errors[1] == errors[0])
    }

    /// The same numbers in another order: an example that stands in two places could take part twice.
    @Test func dataInAnotherOrderAreRefused() throws {
        let errors = LocalRanks.run(2) { ranks -> String in
            let trainer = try Trainer(
                plan: Self.plan(), model: Self.network(), optimizer: sgd(learningRate: 0.1), ranks: ranks)
            let data = try twoClouds(Self.count, seed: 1)
            let order = ranks.rank == 0 ? Array(0..<Self.count) : (0..<Self.count).reversed()
            do {
                _ = try trainer.fit(
                    ListedDataset(
                        inputs: try data.examples(at: order).inputs, classes: order.map { data.classes[$0] },
                        classCount: 2))
                return ""
            } catch { return "\(error)" }
        }
        #expect(errors[0].contains("Rank 1 has the data (by their digest)"))
        // A digest of the data would tell who knows all of them but one example which that is.
        #expect(!errors[0].contains(/[0-9a-f]{16}/))
        #expect(errors[1] == errors[0])
    }

    /// A run that only one of two ranks finds in its folder.
    @Test func foldersThatAreNotSharedAreRefused() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "RankRunTests-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let optimizer = IdentityAugmented(try sgd(learningRate: 0.1))
        let own = folder.appending(path: "0")
        _ = try Self.trained(Self.closure(), optimizer, Self.plan(), ranks: nil, folder: own, steps: 1)
        let errors = LocalRanks.run(2) { ranks -> String in
            do {
                _ = try Self.trained(
                    Self.closure(), optimizer, Self.plan(), ranks: ranks,
                    folder: folder.appending(path: "\(ranks.rank)"))
                return ""
            } catch { return "\(error)" }
        }
        #expect(errors[0].contains("Rank 1 has the checkpoint 'none', but rank 0 has 'step 1'"))
        #expect(errors[1] == errors[0])
    }

    /// Past noise of ranks that have keys of their own is that of the run when it goes on on another number of them.
    @Test func secureNoiseIsGatheredIntoCheckpoints() throws {
        let mechanism = try #require(
            try Self.plan(
                .correlated(.dense), sampling: .ballsInBins(BallsInBinsSampler(exampleCount: 40, bins: 4)), steps: 8
            ).noise.correlation)
        let layout = try TreeLayout([("w", [9000])])
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        let checkpoints = LocalRanks.run(2) { ranks -> [[Double]] in
            var noise = Noise(.correlated(mechanism.strategy))
            var released: [Double] = []
            for _ in 0..<2 {
                let aggregate = try ClippedAggregate(
                    rule, transform: IdentityTransform(layout: layout), noise: .correlated(mechanism.strategy),
                    noiseMultiplier: 1, ranks: ranks)
                released = try aggregate.noised(noise: &noise).vector.values.map(Double.init)
            }
            let checkpoint = noise.checkpoint(of: ranks).value(for: mechanism)
            return [released]
                + checkpoint.vectors.map { vector in
                    let values = vector.values
                    return withExtendedLifetime(values) { Array(values.buffer) }
                }
        }
        // What both ranks write is the same, though each has drawn other numbers.
        #expect(checkpoints[0] == checkpoints[1])
        // What was released at the second step is the combination of what is kept, rounded: of the first two rows.
        let kept = checkpoints[0]
        #expect(kept.count == 3)
        guard case .combination(_, let coefficients) = mechanism.recurrence else {
            Issue.record("A dense strategy is \(mechanism.recurrence).")
            return
        }
        let row = coefficients(1)
        let combined = zip(kept[1], kept[2]).map { row[1] * $0 + row[0] * $1 }
        let released = kept[0]
        let scale = released.reduce(0) { max($0, abs($1)) } / combined.reduce(0) { max($0, abs($1)) }
        let largest = zip(released, combined).reduce(0) { max($0, abs($1.0 / scale - $1.1)) }
        // Rounding to a grid of 2⁻²⁰ deviations, and to Float32.
        #expect(largest < 1e-4)
    }

    /// A rank whose data cannot be read stops all with its sentence, and nothing of the step is released.
    @Test func aRankThatFailsStopsAll() throws {
        struct Unreadable: Error, CustomStringConvertible { var description: String { "The disk is gone." } }
        let errors = LocalRanks.run(3) { ranks -> String in
            var run = try PrivateRun(
                Self.plan(), optimizer: sgd(learningRate: 0.1),
                parameters: ParameterVector(zeros: Self.closure().layout), ranks: ranks)
            do {
                try run.step { asked, parameters in
                    if ranks.rank == 1 { throw Unreadable() }
                    return try DenseRows(Matrix(rows: asked.count, columns: 17_006), layout: parameters.layout)
                }
                return ""
            } catch { return run.stepsTaken == 0 && run.vector.values.allSatisfy { $0 == 0 } ? "\(error)" : "" }
        }
        #expect(errors[1] == "The disk is gone.")
        #expect(errors[0] == "Rank 1 cannot take part: The disk is gone." && errors[2] == errors[0])
    }

    /// Integers that were bounded by one rank are neither noised less nor read otherwise by another.
    @Test func ranksThatReadSumsOtherwiseTrap() async {
        await #expect(processExitsWith: .failure) { try Self.step(noiseMultipliers: [1, 0.5], scales: [1, 1]) }
        await #expect(processExitsWith: .failure) { try Self.step(noiseMultipliers: [1, 1], scales: [1, 2]) }
        await #expect(processExitsWith: .success) { try Self.step(noiseMultipliers: [1, 1], scales: [2, 2]) }
    }

    private static func step(noiseMultipliers: [Double], scales: [Float]) throws {
        let layout = try TreeLayout([("w", [20])])
        _ = LocalRanks.run(2) { ranks in
            let scale = ParameterVector(repeating: scales[ranks.rank], layout: layout)
            var noise = Noise(.discreteGaussian)
            let aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: DiagonalTransform(checkedScale: scale),
                noiseMultiplier: noiseMultipliers[ranks.rank], ranks: ranks)
            return try aggregate.noised(noise: &noise).vector.values
        }
    }

    @Test func everyNumberOfAPartIsInItsDigest() {
        func digest(rowLength: Int = 3, unit: Double = 1, rows: [Float]? = [1, 2], columns: [Float]? = nil) -> UInt64 {
            RankDigest(
                FinePart(
                    columns: 0..<6, rowLength: rowLength, unit: unit, rowWeights: rows, columnWeights: columns)
            ).value
        }
        let digests = [
            digest(), digest(rowLength: 2), digest(unit: 0.5), digest(rows: [1, 4]), digest(rows: [2, 1]),
            digest(rows: nil), digest(columns: [1, 2]), digest(rows: nil, columns: [1, 2]),
            digest(rows: Array(repeating: 1, count: 33)), digest(rows: Array(repeating: 1, count: 32) + [2]),
        ]
        #expect(Set(digests).count == digests.count)
        #expect(digest() == digests[0])
    }

    @Test func sumsThatDependOnTheirOrderAreRefused() throws {
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        let layout = try TreeLayout([("w", [4])])
        let errors = LocalRanks.run(2) { ranks in
            [0.0, 1].map { z -> PrivacyMechanismError? in
                do throws(PrivacyMechanismError) {
                    _ = try ClippedAggregate(
                        rule, transform: IdentityTransform(layout: layout),
                        noise: z == 0 ? .discreteGaussian : .floatingPointGaussian, noiseMultiplier: z, ranks: ranks)
                    return nil
                } catch { return error }
            }
        }
        #expect(
            errors[0] == [
                .ranksNeedExactSums(kind: "discreteGaussian", noiseMultiplier: 0),
                .ranksNeedExactSums(kind: NoiseScheme.floatingPointGaussian.kind, noiseMultiplier: 1),
            ])
    }

    /// The broken twin: ranks whose sums lack one of them.
    @Test func brokenSumsAreSeen() throws {
        let alone = try Self.trained(
            Self.closure(), IdentityAugmented(sgd(learningRate: 0.1)), Self.plan(), ranks: nil)
        let forgetful = LocalRanks.run(2) { ranks in
            try Self.trained(
                Self.closure(), IdentityAugmented(sgd(learningRate: 0.1)), Self.plan(),
                ranks: Ranks(ForgetfulRanks(all: ranks.collective)))
        }
        #expect(forgetful[0] != alone)
    }
}

/// Ranks whose sums lack the last one's.
private struct ForgetfulRanks: Collective {
    let all: any Collective
    var rank: Int { all.rank }
    var count: Int { all.count }

    func reduceScatter(_ numbers: UnsafeMutableBufferPointer<Int64>, shares: [Range<Int>]) {
        if rank == count - 1 { numbers.update(repeating: 0) }
        all.reduceScatter(numbers, shares: shares)
    }

    func allGather(_ bytes: UnsafeMutableRawBufferPointer, shares: [Range<Int>]) {
        all.allGather(bytes, shares: shares)
    }

    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) { all.broadcast(bytes, from: root) }
    func abort() -> Never { all.abort() }
}
