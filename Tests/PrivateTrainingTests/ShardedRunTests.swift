import Foundation
import PrivateTraining
import Testing

@testable import PrivacyMechanisms

/// **Guarantee:** ranks that hold a part of the data each, empty ones included, train as one rank that holds all of
/// them does on the same batches, in every bit; what they draw has the law of its batches (`PartSamplingTests`).
@Suite(.serialized) struct ShardedRunTests {
    private static let count = 60

    private static func plan(
        probability: Double = 1, clipping: PlannedClipping = .flat(l2ClipNorm: 1),
        noise: PlannedNoise = .discreteGaussian, steps: Int = 4, normalization: PrivateNormalization? = nil
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: count, samplingProbability: probability)),
            iterations: steps, clipping: clipping, budget: .noiseMultiplier(1), delta: 1e-5, noise: noise,
            normalization: normalization)
    }

    private static func network() throws -> Network { try Network(.multilayerPerceptron(dims: [2, 3500, 2])) }

    /// The places of each rank's part, one after the other.
    private static func places(_ sizes: [Int]) -> [Range<Int>] {
        sizes.indices.map { sizes[..<$0].reduce(0, +)..<sizes[...$0].reduce(0, +) }
    }

    /// The parameters of a run of one process, or of ranks with parts of these sizes.
    private static func trained<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, _ plan: PrivacyPlan, sizes: [Int]?, folder: URL? = nil, until step: Int? = nil
    ) throws -> [[UInt32]] {
        @Sendable func parameters(_ data: any Dataset, _ ranks: Ranks?) throws -> [UInt32] {
            let trainer = try Trainer(
                plan: plan, model: network(), optimizer: optimizer,
                options: TrainingOptions(microbatchSize: 16, nonPrivateSeed: 3), ranks: ranks)
            let checkpoints = try folder.map { try CheckpointFolder<Optimizer>($0, interval: 1) }
            return try trainer.fit(data, checkpoints: checkpoints) { $0.step == step ? .stop : .proceed }
                .parameters.values.map(\.bitPattern)
        }
        let data = try twoClouds(count, seed: 1)
        guard let sizes else { return [try parameters(data, nil)] }
        let places = places(sizes)
        return LocalRanks.run(sizes.count) { ranks in
            let part = DatasetPart(data, places[ranks.rank])
            return try parameters(part, ranks.holdingPart(of: part.count))
        }
    }

    /// With probability 1 there is one batch that can be drawn: all of the data.
    private static func expectEqualRuns(
        _ optimizer: some AugmentedGradientTransformation, _ plan: PrivacyPlan,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let alone = try trained(optimizer, plan, sizes: nil)[0]
        for sizes in [[60], [30, 30], [7, 0, 53], [0, 20, 20, 20]] {
            let together = try trained(optimizer, plan, sizes: sizes)
            #expect(together == Array(repeating: alone, count: sizes.count), "\(sizes)", sourceLocation: sourceLocation)
        }
    }

    @Test func wholeBatchesAreThoseOfOneRank() throws {
        try Self.expectEqualRuns(IdentityAugmented(adam(learningRate: 0.01)), Self.plan())
        try Self.expectEqualRuns(ScaleThenPrivatize(adam(learningRate: 0.01)), Self.plan())
    }

    @Test func clipNormsAdaptToAllParts() throws {
        let clipping = PlannedClipping.adaptiveQuantile(
            try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 5))
        try Self.expectEqualRuns(IdentityAugmented(sgd(learningRate: 0.1)), Self.plan(clipping: clipping))
    }

    /// One release of means and variances, to which all parts add.
    @Test func normalizationIsOfAllParts() throws {
        let normalization = try PrivateNormalization(channelCount: 2, l2ClipNorm: 1, noiseMultiplier: 8)
        try Self.expectEqualRuns(
            IdentityAugmented(sgd(learningRate: 0.1)), Self.plan(normalization: normalization))
    }

    /// Each rank asks for examples of its own part; the sum has the gradient of every one that was asked for, and no
    /// other; and no two ranks ask for the same places in all steps.
    @Test func everyRankAddsWhatItDraws() throws {
        let layout = try TreeLayout([("w", [Self.count])])
        let sizes = [25, 0, 35]
        let places = Self.places(sizes)
        let plan = try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: Self.count, samplingProbability: 0.3)), iterations: 12,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(0.05), delta: 1e-5)
        let results = LocalRanks.run(3) { ranks -> (asked: [[Int]], released: [[Float]]) in
            var run = try PrivateRun(
                plan, optimizer: sgd(learningRate: 1), parameters: ParameterVector(zeros: layout),
                ranks: ranks.holdingPart(of: sizes[ranks.rank]))
            var (asked, released): ([[Int]], [[Float]]) = ([], [])
            while !run.isFinished {
                let before = run.vector.values
                var indices: [Int] = []
                try run.step(microbatchSize: 4) { block, parameters in
                    indices += block
                    var rows = Matrix(rows: block.count, columns: Self.count)
                    for (row, index) in block.enumerated() { rows[row, places[ranks.rank].lowerBound + index] = 1 }
                    return try DenseRows(rows, layout: parameters.layout)
                }
                asked.append(indices)
                released.append(zip(before, run.vector.values).map { ($0 - $1) * 18 })
            }
            return (asked: asked, released: released)
        }
        for step in 0..<12 {
            var isDrawn = [Bool](repeating: false, count: Self.count)
            for (rank, result) in results.enumerated() {
                for index in result.asked[step] { isDrawn[places[rank].lowerBound + index] = true }
                #expect(result.asked[step].allSatisfy((0..<sizes[rank]).contains))
            }
            // Noise of deviation 0.05: ten of them from the middle.
            for column in 0..<Self.count {
                #expect((results[0].released[step][column] > 0.5) == isDrawn[column])
            }
        }
        #expect(results[1].asked.allSatisfy { $0.isEmpty })
        #expect(zip(results[0].asked, results[2].asked).contains { $0 != $1.filter { $0 < 25 } })
        #expect(results[0].released == results[2].released)
    }

    /// The same ranks with the same seed give the same bits; a run also goes on where the data are cut otherwise.
    @Test func runsRepeatAndGoOnOnOtherParts() throws {
        let optimizer = IdentityAugmented(try sgd(learningRate: 0.1))
        let plan = try Self.plan(probability: 0.4)
        let first = try Self.trained(optimizer, plan, sizes: [20, 40])
        #expect(try Self.trained(optimizer, plan, sizes: [20, 40]) == first)
        #expect(first[0] == first[1])
        // Other parts draw other batches.
        #expect(try Self.trained(optimizer, plan, sizes: [40, 20])[0] != first[0])
        let folder = FileManager.default.temporaryDirectory.appending(path: "ShardedRunTests-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try Self.trained(optimizer, plan, sizes: [20, 40], folder: folder, until: 2)
        let resumed = try Self.trained(optimizer, plan, sizes: [10, 20, 30], folder: folder)
        #expect(resumed[0] != first[0] && resumed.allSatisfy { $0 == resumed[0] })
    }

    /// The error of every rank.
    private static func errors(
        _ plan: PrivacyPlan, parts: [any Dataset], evaluation: (any Dataset)? = nil, holds: [Bool]? = nil
    ) -> [String] {
        LocalRanks.run(parts.count) { ranks in
            let part = parts[ranks.rank]
            let isPart = holds?[ranks.rank] ?? true
            do {
                let trainer = try Trainer(
                    plan: plan, model: network(), optimizer: sgd(learningRate: 0.1),
                    ranks: isPart ? ranks.holdingPart(of: part.count) : ranks)
                _ = try trainer.fit(part, evaluatingOn: evaluation)
                return ""
            } catch { return "\(error)" }
        }
    }

    @Test func partsThatDoNotFitAreRefused() throws {
        let data = try twoClouds(Self.count, seed: 1)
        let halves = [DatasetPart(data, 0, of: 2), DatasetPart(data, 1, of: 2)]
        let plan = try Self.plan(probability: 0.4)
        #expect(Self.errors(plan, parts: halves) == ["", ""])
        func expect(_ sentence: String, _ errors: [String], sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(
                errors.allSatisfy { $0.contains(sentence) }, "\(errors)", sourceLocation: sourceLocation)
        }
        let tooFew = [halves[0], DatasetPart(halves[1], 0..<20)]
        expect("60 examples, but the data set has 50", Self.errors(plan, parts: tooFew))
        // The same file on both ranks.
        expect("Ranks 0 and 1 hold the same examples", Self.errors(plan, parts: [halves[0], halves[0]]))
        expect("way of holding the data", Self.errors(plan, parts: halves, holds: [true, false]))
        let bins = try PrivacyPlan(
            sampling: .ballsInBins(BallsInBinsSampler(exampleCount: Self.count, bins: 4)), iterations: 4,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1), delta: 1e-5)
        expect("cannot sample by 'balls-in-bins'", Self.errors(bins, parts: halves))
        // The whole of the training data, of which each rank knows a part.
        expect("are the training examples", Self.errors(plan, parts: halves, evaluation: data))
    }

    /// What cannot be seen is said.
    @Test func theReportNamesWhatIsTakenForGranted() throws {
        let data = try twoClouds(Self.count, seed: 1)
        let reports = LocalRanks.run(2) { ranks -> String in
            let part = DatasetPart(data, ranks.rank, of: 2)
            let trainer = try Trainer(
                plan: Self.plan(), model: Self.network(), optimizer: sgd(learningRate: 0.1),
                ranks: ranks.holdingPart(of: part.count))
            return try trainer.fit(part).report.text
        }
        #expect(reports.allSatisfy { $0.contains("Examples that stand in the parts of several ranks") })
    }
}
