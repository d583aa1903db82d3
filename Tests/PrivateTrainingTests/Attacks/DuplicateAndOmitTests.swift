import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateTraining
import PyTrees
import Synchronization
import Testing

/// Attack: add one example twice and leave another out, which moves the sum by 2C and keeps the number of examples.
@Suite struct DuplicateAndOmitTests {
    private static let count = 1000

    private static func plan() throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: count, samplingProbability: 0.1)), iterations: 1,
            clipping: .flat(l2ClipNorm: 2), budget: .noiseMultiplier(0), delta: 1e-5)
    }

    /// Hands out one example more in the first block and one less in the second.
    private final class Slipping: Dataset {
        private let data: ListedDataset
        private let slip: Int
        private let blocks = Mutex(0)

        init(_ data: ListedDataset, by slip: Int) {
            self.data = data
            self.slip = slip
        }

        var count: Int { data.count }
        var featureCount: Int { data.featureCount }

        func examples(at indices: [Int]) throws -> Examples {
            let block = blocks.withLock { blocks in
                defer { blocks += 1 }
                return blocks
            }
            switch block {
            case 0: return try data.examples(at: indices + indices.prefix(slip))
            case 1: return try data.examples(at: Array(indices.dropFirst(slip)))
            default: return try data.examples(at: indices)
            }
        }
    }

    private static func fit(slippingBy slip: Int) throws {
        let trainer = try Trainer(
            plan: plan(), model: Network(.softmaxRegression(features: 2, classes: 2)),
            optimizer: IdentityAugmented(sgd(learningRate: 1)), options: TrainingOptions(microbatchSize: 20))
        _ = try trainer.fit(Slipping(try twoClouds(count, seed: 1), by: slip))
    }

    @Test func aTrainerCountsEachBlock() async throws {
        let outcome = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Self.fit(slippingBy: 1)
        }
        let message = String(decoding: try #require(outcome).standardErrorContent, as: UTF8.self)
        #expect(message.contains("21 gradients were returned for 20 examples"), "\(message)")
        // Control: without the slip it trains.
        await #expect(processExitsWith: .success) { try Self.fit(slippingBy: 0) }
    }

    /// Each example's gradient is a coordinate of its own: who was added how often can be read from the sum. However
    /// a batch is cut, everybody that was drawn is asked for, and added, once.
    @Test(arguments: [1, 7, 64, 4000, nil] as [Int?], [1, 4])
    func everyDrawnExampleIsAskedForOnce(_ microbatchSize: Int?, multiple: Int) throws {
        let (sum, asked) = try Self.sum(microbatchSize, multiple) { $0 }
        #expect(asked.count > 60 && Set(asked).count == asked.count)
        for (index, value) in sum.enumerated() {
            // A clip norm of 2, 100 examples expected, and a rate of 100; clip factors have a margin below 2⁻²².
            let expected: Float = asked.contains(index) ? -2 : 0
            #expect(abs(value - expected) < 0x1p-20)
        }
        // Control: a closure that answers for another example than it is asked for is not noticed, but for its sum.
        if microbatchSize == nil {
            let wrong = try Self.sum(nil, multiple) { [$0[1]] + $0.dropFirst() }.sum
            #expect(zip(sum, wrong).reduce(0) { $0 + abs($1.0 - $1.1) } > 3.9)
        }
    }

    /// The negated sum, times 100 over the expected batch size, and all indices that were asked for, padding aside.
    private static func sum(
        _ microbatchSize: Int?, _ multiple: Int, answering: ([Int]) -> [Int]
    ) throws -> (sum: [Float], asked: [Int]) {
        let layout = try TreeLayout([("x", [count])])
        var run = try PrivateRun(
            plan(), optimizer: IdentityAugmented(sgd(learningRate: 100)), parameters: ParameterVector(zeros: layout),
            nonPrivateSeed: 1)
        var asked: [Int] = []
        try run.step(microbatchSize: microbatchSize, paddedToMultipleOf: multiple) { indices, _ in
            asked += indices.filter { $0 >= 0 }
            var rows = Matrix(rows: indices.count, columns: count)
            for (row, index) in answering(indices).enumerated() { rows[row, max(0, index)] = 2 }
            return try DenseRows(rows, layout: layout)
        }
        return (run.parameters.values, asked)
    }
}
