import GradientTransformations
import LinearAlgebra
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

/// A run of a plan, and every known way to undo its privacy: each traps, throws, or has no effect.
@Suite struct PrivateRunTests {
    private static let layout = try! TreeLayout([("x", [400])])
    private typealias Run = PrivateRun<IdentityAugmented<ScaleByLearningRate<Double>>, ParameterVector>

    private static func plan(
        probability: Double = 0.1, iterations: Int = 5, noiseMultiplier: Double = 1,
        clipping: PlannedClipping = .flat(l2ClipNorm: 2), count: Int = 1000
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: count, samplingProbability: probability)),
            iterations: iterations, clipping: clipping, budget: .noiseMultiplier(noiseMultiplier), delta: 1e-5)
    }

    private static func run(_ plan: PrivacyPlan, seed: UInt64? = 1) throws -> Run {
        let optimizer = IdentityAugmented(try sgd(learningRate: 1))
        let start = ParameterVector(zeros: layout)
        if let seed {
            return try PrivateRun(plan, optimizer: optimizer, parameters: start, nonPrivateSeed: seed)
        }
        return try PrivateRun(plan, optimizer: optimizer, parameters: start)
    }

    /// Each example's gradient is the same: 2 in the first element, as long as the clip norm.
    private static func rows(_ count: Int) throws -> DenseRows {
        var matrix = Matrix(rows: count, columns: layout.count)
        for row in 0..<count { matrix[row, 0] = 2 }
        return try DenseRows(matrix, layout: layout)
    }

    private static func deviation(_ values: ArraySlice<Float>) -> Double {
        (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot()
    }

    /// Foot-gun: noise calibrated to the mean. The deviation is z·C/N, of which N = q·n; not z·C, not z/N.
    @Test func noiseHasTheDeviationThatThePlanSays() throws {
        let plan = try Self.plan(iterations: 25)
        var run = try Self.run(plan)
        while !run.isFinished { try run.step { indices, _ in try Self.rows(indices.count) } }
        // 399 elements whose gradient is zero, 25 steps of SGD with rate 1: σ√25. Six standard errors, σ/√(2·399).
        let expected = 2 * 1 / 100.0 * 5
        let measured = Self.deviation(run.parameters.values[1...])
        let tolerance: Double = 6 / (2 * 399.0).squareRoot()
        #expect(abs(measured / expected - 1) < tolerance)
        #expect(abs(measured / (expected * 1.5) - 1) > tolerance)
    }

    /// Foot-gun: dividing by the batch that happened to be drawn. The step is proportional to it.
    @Test func sumsAreDividedByTheExpectedBatchSize() throws {
        var run = try Self.run(try Self.plan(iterations: 8, noiseMultiplier: 0))
        var drawn = Set<Int>()
        while !run.isFinished {
            let before = run.parameters.values[0]
            var count = 0
            try run.step { indices, _ in
                count = indices.count
                return try Self.rows(indices.count)
            }
            drawn.insert(count)
            // The clip factor's margin is below 2⁻²²; the difference of two Float32 below 2³ errs by 2⁻²¹.
            let moved = Double(before - run.parameters.values[0])
            #expect(abs(moved - 2 * Double(count) / 100) < 0x1p-20)
        }
        #expect(drawn.count > 3)
    }

    /// Foot-gun: microbatches noised separately. However a batch is cut, it is one sum and one noise.
    @Test func microbatchesShareOneNoise() throws {
        let plan = try Self.plan(noiseMultiplier: 1)
        var whole = try Self.run(plan)
        var cut = try Self.run(plan)
        while !whole.isFinished {
            try whole.step { indices, _ in try Self.rows(indices.count) }
            try cut.step(microbatchSize: 1) { indices, _ in try Self.rows(indices.count) }
        }
        #expect(whole.parameters == cut.parameters)
    }

    /// Foot-gun: noise reused when fitting twice.
    @Test func everyRunHasItsOwnNoise() throws {
        let plan = try Self.plan(probability: 1e-9, iterations: 1)
        func fit(seed: UInt64?) throws -> ParameterVector {
            var run = try Self.run(plan, seed: seed)
            #expect(run.isSeeded == (seed != nil))
            try run.step { indices, _ in try Self.rows(indices.count) }
            return run.parameters
        }
        #expect(try fit(seed: nil) != fit(seed: nil))
        #expect(try fit(seed: 3) == fit(seed: 3))
    }

    /// Foot-gun: an empty batch is skipped.
    @Test func emptyBatchesAreNoisedAndCounted() throws {
        var run = try Self.run(try Self.plan(probability: 1e-9, iterations: 3))
        try run.step { indices, _ in
            Issue.record("An empty batch has no gradients to ask for.")
            return try Self.rows(indices.count)
        }
        #expect(run.stepsTaken == 1)
        #expect(run.parameters.values.allSatisfy { $0 != 0 })
    }

    /// Foot-guns: some of a batch are dropped; others are added; some twice.
    @Test(arguments: [-1, 1])
    func aBlockHasOneGradientForEachIndex(_ difference: Int) async throws {
        let outcome = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [difference] in
            var run = try Self.run(try Self.plan())
            try run.step(microbatchSize: 10) { indices, _ in try Self.rows(indices.count + difference) }
        }
        let message = String(decoding: try #require(outcome).standardErrorContent, as: UTF8.self)
        #expect(message.contains("\(10 + difference) gradients were returned for 10 examples"), "\(message)")
    }

    /// Copies of one example are averaged, and the mean is clipped: an example moves the sum by no more than C,
    /// whatever the gradients of its copies are, and in whatever blocks they come.
    @Test(arguments: [nil, 1, 7])
    func copiesOfAnExampleCountOnce(_ microbatchSize: Int?) throws {
        /// How far one step moves the parameters for each example of the batch, C = 2 and N = 100.
        func share(_ gradients: [Float], copies: Int, isBroken: Bool = false) throws -> Double {
            var run = try Self.run(try Self.plan(iterations: 1, noiseMultiplier: 0))
            var count = 0
            try run.step(microbatchSize: microbatchSize, copies: isBroken ? 1 : copies) { indices, _ in
                var matrix = Matrix(rows: indices.count * (isBroken ? 1 : copies), columns: Self.layout.count)
                let first = isBroken ? count : 0
                for row in 0..<matrix.rows { matrix[row, 0] = gradients[(first + row) % copies] }
                count += indices.count
                return try DenseRows(matrix, layout: Self.layout)
            }
            return -Double(run.parameters.values[0]) / Double(count) * 100
        }
        #expect(try abs(share([1, 2, 0, -1], copies: 4) - 0.5) < 0x1p-18)
        #expect(try abs(share([9, 40, 3], copies: 3) - 2) < 0x1p-18)
        // Control: what is clipped copy by copy is not the clipped mean.
        #expect(try abs(share([9, -9, 1, 1], copies: 4) - 0.5) < 0x1p-18)
        #expect(try abs(share([9, 0, 0, 0], copies: 4, isBroken: true) - 2) > 0.5)
    }

    @Test func copiesAreCounted() async {
        await #expect(processExitsWith: .failure) {
            var run = try Self.run(try Self.plan())
            try run.step(copies: 2) { indices, _ in try Self.rows(indices.count) }
        }
    }

    @Test func sizesOfBlocksAreAtLeastOne() async {
        await #expect(processExitsWith: .failure) {
            var run = try Self.run(try Self.plan())
            try run.step(microbatchSize: 0) { indices, _ in try Self.rows(indices.count) }
        }
        await #expect(processExitsWith: .failure) {
            var run = try Self.run(try Self.plan())
            try run.step(paddedToMultipleOf: 0) { indices, _ in try Self.rows(indices.count) }
        }
        // Control: the smallest sizes that there are.
        await #expect(processExitsWith: .success) {
            var run = try Self.run(try Self.plan())
            try run.step(microbatchSize: 1, paddedToMultipleOf: 1) { indices, _ in try Self.rows(indices.count) }
        }
    }

    @Test func theLastBatchOfAnEpochIsDrawn() throws {
        let plan = try PrivacyPlan(
            sampling: .shuffledEpochs(ShuffledEpochs(exampleCount: 10, batchSize: 4)), iterations: 3,
            clipping: .flat(l2ClipNorm: 2), budget: .noiseMultiplier(1), delta: 1e-5, relation: .replaceSpecial)
        var run = try Self.run(plan)
        var seen: [Int] = []
        while !run.isFinished {
            try run.step { indices, _ in
                seen += indices
                return try Self.rows(indices.count)
            }
        }
        #expect(seen.sorted() == Array(0..<10))
    }

    /// Blocks that are filled up give the same sum: what stands for −1 is not added.
    @Test func paddingIsNotAdded() throws {
        let plan = try Self.plan()
        var plain = try Self.run(plan)
        var padded = try Self.run(plan)
        var noticed = try Self.run(plan)
        var (sizes, fillers) = (Set<Int>(), 0)
        while !plain.isFinished {
            try plain.step { indices, _ in try Self.rows(indices.count) }
            try padded.step(microbatchSize: 30, paddedToMultipleOf: 8) { indices, _ in
                sizes.insert(indices.count)
                fillers += indices.count { $0 < 0 }
                #expect(indices.drop { $0 >= 0 }.allSatisfy { $0 == -1 })
                return try Self.rows(indices.count)
            }
            // Control: the same rows as examples would show.
            try noticed.step { indices, _ in
                var rows = Matrix(rows: indices.count, columns: Self.layout.count)
                for row in 0..<indices.count where row % 8 != 0 { rows[row, 0] = 2 }
                return try DenseRows(rows, layout: Self.layout)
            }
        }
        #expect(plain.parameters == padded.parameters && plain.parameters != noticed.parameters)
        #expect(sizes.allSatisfy { $0 % 8 == 0 && $0 <= 32 } && fillers > 0)
    }

    /// Foot-gun: training on after the plan.
    @Test func aStepBeyondThePlanThrows() throws {
        var run = try Self.run(try Self.plan(iterations: 1))
        try run.step { indices, _ in try Self.rows(indices.count) }
        let reached = run.parameters
        #expect(throws: PlanError.exhausted(iterations: 1)) {
            try run.step { indices, _ in try Self.rows(indices.count) }
        }
        #expect(run.parameters == reached)
    }

    @Test func stoppingEarlyCostsWhatWasDone() throws {
        let plan = try Self.plan(iterations: 100)
        var run = try Self.run(plan)
        for _ in 0..<10 { try run.step { indices, _ in try Self.rows(indices.count) } }
        #expect(try run.epsilonSpent() == plan.epsilon(afterIterations: 10))
        #expect(try run.epsilonSpent() < plan.epsilon())
    }

    @Test func aStepThatFailsLeavesNoTrace() throws {
        struct Failure: Error {}
        let plan = try Self.plan(iterations: 4)
        var run = try Self.run(plan)
        var other = try Self.run(plan)
        var first: [Int] = []
        #expect(throws: Failure.self) {
            try run.step(microbatchSize: 10) { indices, _ in
                if first.count == 30 { throw Failure() }
                first += indices
                return try Self.rows(indices.count)
            }
        }
        #expect(run.stepsTaken == 0)
        var drawn: [[Int]] = []
        while !run.isFinished {
            try run.step { indices, _ in
                drawn.append(indices)
                return try Self.rows(indices.count)
            }
            try other.step { indices, _ in try Self.rows(indices.count) }
        }
        #expect(Array(drawn[0].prefix(30)) == first)
        #expect(run.parameters == other.parameters)
    }

    /// Norms are all 2: half of them should be within the clip norm, which therefore comes to 2.
    @Test func anAdaptiveClipNormFindsTheQuantile() throws {
        let adaptive = try AdaptiveQuantileClipping(
            initialL2ClipNorm: 0.1, quantile: 0.5, learningRate: 0.3, countNoiseMultiplier: 5)
        let plan = try Self.plan(iterations: 60, clipping: .adaptiveQuantile(adaptive))
        var run = try Self.run(plan)
        while !run.isFinished { try run.step { indices, _ in try Self.rows(indices.count) } }
        let last = run.adaptiveL2ClipNorm
        let clipNorm = try #require(last)
        // Steps of exp(±0.15), and noise of deviation 5/100 on the share.
        #expect(clipNorm > 1.4 && clipNorm < 2.8)
        #expect(try run.epsilonSpent() == plan.epsilon())
    }

    @Test func aResumedSeededRunIsTheSameRun() throws {
        let plan = try Self.plan(iterations: 6)
        var whole = try Self.run(plan)
        while !whole.isFinished { try whole.step { indices, _ in try Self.rows(indices.count) } }
        var first = try Self.run(plan)
        for _ in 0..<2 { try first.step { indices, _ in try Self.rows(indices.count) } }
        var second = try Run(
            resuming: first.snapshot, plan: plan, optimizer: first.optimizer, structure: first.parameters)
        #expect(second.stepsTaken == 2)
        while !second.isFinished { try second.step { indices, _ in try Self.rows(indices.count) } }
        #expect(whole.parameters == second.parameters)
    }

    /// **Guarantee** of resuming under secure keys: never the same noise, and no two times with the same batch.
    @Test func aResumedSecureRunHasFreshNoiseAndBatches() throws {
        let plan = try Self.plan(iterations: 3)
        var first = try Self.run(plan, seed: nil)
        try first.step { indices, _ in try Self.rows(indices.count) }
        var batches: [[Int]] = []
        func finish(_ snapshot: RunSnapshot<ScaleByLearningRate<Double>.State>) throws -> ParameterVector {
            var run = try Run(
                resuming: snapshot, plan: plan, optimizer: IdentityAugmented(try sgd(learningRate: 1)),
                structure: snapshot.parameters)
            try run.step { indices, _ in
                batches.append(indices)
                return try Self.rows(indices.count)
            }
            return run.parameters
        }
        let (one, other) = (try finish(first.snapshot), try finish(first.snapshot))
        try first.step { indices, _ in
            batches.append(indices)
            return try Self.rows(indices.count)
        }
        #expect(Set(batches).count == 3)
        #expect(zip(one.values, other.values).allSatisfy { $0 != $1 })
        // The broken twin: a seeded run does repeat its noise and its batch.
        var seeded = try Self.run(plan, seed: 9)
        try seeded.step { indices, _ in try Self.rows(indices.count) }
        #expect(try finish(seeded.snapshot) == finish(seeded.snapshot))
        #expect(batches[3] == batches[4])
    }
}
