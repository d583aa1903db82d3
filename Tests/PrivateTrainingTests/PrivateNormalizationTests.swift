import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

@Suite struct PrivateNormalizationTests {
    private static func plan(
        _ normalization: PrivateNormalization?, budget: PrivacyPlan.Budget = .noiseMultiplier(1), count: Int = 200,
        iterations: Int = 4, relation: NeighboringRelation = .addOrRemoveOne, noise: PlannedNoise = .discreteGaussian
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: count, samplingProbability: 0.3)),
            iterations: iterations, clipping: .flat(l2ClipNorm: 1), budget: budget, delta: 1e-5, relation: relation,
            noise: noise, normalization: normalization)
    }

    private static func trainer(
        _ plan: PrivacyPlan, seed: UInt64? = nil
    ) throws -> Trainer<Network, IdentityAugmented<ScaleByLearningRate<Double>>> {
        try Trainer(
            plan: plan, model: Network(.softmaxRegression(features: 2, classes: 2)),
            optimizer: IdentityAugmented(sgd(learningRate: 0.1)), options: TrainingOptions(nonPrivateSeed: seed))
    }

    private static func features(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var generator = SeededGenerator(seed: seed)
        return Matrix(
            rows: rows, columns: columns,
            elements: (0..<rows * columns).map { _ in Float.random(in: -3...3, using: &generator) })
    }

    private static func dataset(_ inputs: Matrix) -> InMemoryDataset {
        InMemoryDataset(
            inputs: inputs, targets: .classes([Int](repeating: 0, count: inputs.rows), classCount: 2))
    }

    // MARK: What it costs

    /// **Guarantee:** the budget is for the release and the steps together, and neither is forgotten: both alone cost
    /// less.
    @Test(arguments: [NeighboringRelation.addOrRemoveOne, .replaceOne], [PlanAccountant.pld, .rdp])
    func theBudgetCoversIt(relation: NeighboringRelation, accountant: PlanAccountant) throws {
        // Rényi divergences of Poisson samples are not known under replace-one.
        if relation == .replaceOne, accountant == .rdp { return }
        let normalization = try PrivateNormalization(channelCount: 2, l2ClipNorm: 1, noiseMultiplier: 4)
        func plan(_ normalization: PrivateNormalization?, _ budget: PrivacyPlan.Budget) throws -> PrivacyPlan {
            try PrivacyPlan(
                sampling: .poisson(PoissonSampler(exampleCount: 200, samplingProbability: 0.3)), iterations: 4,
                clipping: .flat(l2ClipNorm: 1), budget: budget, delta: 1e-5, relation: relation,
                accountant: accountant, normalization: normalization)
        }
        let whole = try plan(normalization, .epsilon(3))
        let epsilon = try whole.epsilon()
        #expect(epsilon <= 3 && epsilon > 2.9)
        // The broken twin: a plan that forgets the release has less noise, and with the release costs more.
        let forgetful = try plan(nil, .epsilon(3))
        #expect(forgetful.noiseMultiplier < whole.noiseMultiplier)
        let broken = try plan(normalization, .noiseMultiplier(forgetful.noiseMultiplier))
        #expect(try broken.epsilon() > 3)
        #expect(try plan(nil, .noiseMultiplier(whole.noiseMultiplier)).epsilon() < epsilon)
        // Released before the first step, it is there without any.
        let release = try PrivacyEvent.gaussian(noiseMultiplier: 4)
        let least = try accountant.make(relation: relation).epsilon(of: release, delta: 1e-5)
        #expect(try whole.epsilon(afterIterations: 0) >= least)
        #expect(try plan(nil, .noiseMultiplier(1)).epsilon(afterIterations: 0) < least)
    }

    @Test func theReportSaysIt() throws {
        let normalization = try PrivateNormalization(channelCount: 2, l2ClipNorm: 1, noiseMultiplier: 4)
        let report = PrivacyReport(of: try Self.plan(normalization))
        #expect(report.normalization == normalization)
        #expect(report.text.contains("2 channels, C = 1, z = 4"))
        #expect(report.guarantees[0].epsilon == (try Self.plan(normalization).epsilon()))
        let written = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(PrivacyReport.self, from: written) == report)
        let without = try Self.plan(PrivateNormalization(channelCount: 2, l2ClipNorm: 1, noiseMultiplier: 0))
        #expect(try without.epsilon() == .infinity)
        #expect(PrivacyReport(of: without).notCovered.contains { $0.contains("there is no noise") })
        #expect(without.warnings().contains(.noNoise))
    }

    // MARK: What it releases

    /// How far the sum moves, in clip norms, when an example is added: `contribution` is what is summed.
    private static func sensitivity(_ contribution: (Matrix) throws -> [Double]) throws -> Double {
        var largest = 0.0
        for scale in [Float(1e-3), 1, 1e3] {
            let rows = (0..<9).map { row in features(9, 6, seed: 8).withRow(row) { row in row.indices.map { row[$0] } }
            }
            let extreme = rows[8].map { scale * $0 }
            let before = try contribution(Matrix(Array(rows[..<8])))
            let after = try contribution(Matrix(Array(rows[..<8]) + [extreme]))
            largest = max(largest, zip(before, after).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot())
        }
        return largest
    }

    /// **Guarantee:** whoever is added moves the sum by at most C.
    @Test func oneExampleMovesTheSumByTheClipNorm() throws {
        let normalization = try PrivateNormalization(channelCount: 3, l2ClipNorm: 0.5, noiseMultiplier: 0)
        func sum(_ inputs: Matrix) throws -> [Double] {
            var noise = Noise(.discreteGaussian, nonPrivateSeed: 0)
            // The planned count, whatever the data has.
            let aggregate = try normalization.aggregate(
                of: Self.dataset(inputs), plannedCount: 8, noise: .discreteGaussian)
            return try aggregate.privatized(noise: &noise).vector.values.map { 8 * Double($0) }
        }
        // Sums of at most 9 vectors of norm 0.5 are rounded to Float32.
        let rounding = 9 * 0.5 * 0x1p-23
        #expect(try Self.sensitivity(sum) <= 0.5 + rounding)
        // The broken twin: nobody is clipped.
        let unclipped = try Self.sensitivity { inputs in
            let rows = normalization.statistics(of: inputs)
            return (0..<6).map { column in (0..<rows.rows).reduce(0) { $0 + Double(rows[$1, column]) } }
        }
        #expect(unclipped > 0.5 + rounding)
    }

    @Test(arguments: [1, 2, 6]) func statisticsAreMeansOverPlaces(channels: Int) throws {
        let normalization = try PrivateNormalization(channelCount: channels, l2ClipNorm: 1, noiseMultiplier: 1)
        let inputs = Self.features(40, 6, seed: 2)
        let found = normalization.statistics(of: inputs)
        for row in 0..<40 {
            for channel in 0..<channels {
                let own = stride(from: channel, to: 6, by: channels).map { Double(inputs[row, $0]) }
                let mean = own.reduce(0, +) / Double(own.count)
                let square = own.reduce(0) { $0 + $1 * $1 } / Double(own.count)
                // Two roundings of Float64, and one to Float32.
                #expect(abs(Double(found[row, channel]) - mean) <= 0x1p-23 * abs(mean) + 1e-15)
                #expect(abs(Double(found[row, channels + channel]) - square) <= 0x1p-23 * square + 1e-15)
            }
            // A row alone has the same bits.
            let alone = normalization.statistics(of: inputs.rows(row..<row + 1))
            for column in 0..<2 * channels { #expect(alone[0, column] == found[row, column]) }
        }
    }

    /// The noise has the deviation z·C/N. Σ x²/σ² of 2K numbers is χ²: its quantiles 10⁻⁹ and 1 − 10⁻⁹ for 4,000
    /// degrees of freedom lie within 4000 ± 6.2·√8000 (Wilson and Hilferty give 3476 and 4563).
    @Test func theNoiseIsThatOfThePlan() throws {
        let (channels, z, norm, count) = (2000, 3.0, 0.5, 50)
        let normalization = try PrivateNormalization(channelCount: channels, l2ClipNorm: norm, noiseMultiplier: z)
        let nothing = Self.dataset(Matrix(rows: 2, columns: channels))
        var noise = Noise(.discreteGaussian)
        let aggregate = try normalization.aggregate(of: nothing, plannedCount: count, noise: .discreteGaussian)
        let released = try aggregate.privatized(noise: &noise).vector.values
        func accepts(_ deviation: Double) -> Bool {
            (3440...4560).contains(released.reduce(0) { $0 + Double($1) * Double($1) } / (deviation * deviation))
        }
        let deviation = z * norm / Double(count)
        #expect(accepts(deviation))
        #expect(!accepts(deviation * 2 / 3) && !accepts(deviation * 3 / 2))
    }

    /// With little noise, channels have mean 0 and variance 1; no variance counts as less than the noise.
    @Test func channelsBecomeComparable() throws {
        let normalization = try PrivateNormalization(channelCount: 2, l2ClipNorm: 100, noiseMultiplier: 1e-3)
        var inputs = Self.features(500, 4, seed: 6)
        for row in 0..<500 { for column in [1, 3] { inputs[row, column] = 7 } }
        let released = try normalization.release(
            of: Self.dataset(inputs), plannedCount: 500, noise: .discreteGaussian, nonPrivateSeed: 3)
        released.normalize(&inputs)
        let values = (0..<500).flatMap { row in [0, 2].map { Double(inputs[row, $0]) } }
        let mean = values.reduce(0, +) / 1000
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1000
        // Noise of deviation 2e-4 on mean and mean square, of a variance near 3: seven deviations.
        #expect(abs(mean) < 1.4e-3 && abs(variance - 1) < 1.4e-3)
        // A channel that never changes: 1/√(z·C/N) at most.
        #expect(Double(released.scales[1]) <= 1 / (1e-3 * 100.0 / 500).squareRoot() * (1 + 1e-6))
    }

    // MARK: When it is released

    /// **Guarantee:** a run releases once, however often it goes on.
    @Test func aRunThatGoesOnReleasesNothingAgain() throws {
        try withTemporaryFolder { folder in
            let normalization = try PrivateNormalization(channelCount: 2, l2ClipNorm: 3, noiseMultiplier: 4)
            let data = RecordingDataset(try twoClouds(200, seed: 3))
            let trainer = try Self.trainer(try Self.plan(normalization))
            let checkpoints = try CheckpointFolder<IdentityAugmented<ScaleByLearningRate<Double>>>(folder, interval: 1)
            let all = Array(0..<200)
            let first = try trainer.fit(data, checkpoints: checkpoints) { $0.step == 1 ? .stop : .proceed }
            #expect(data.takeBatches().count { $0 == all } == 1)
            let released = try #require(first.normalization)
            let rest = try trainer.fit(data, checkpoints: checkpoints)
            #expect(data.takeBatches().count { $0 == all } == 0)
            #expect(rest.normalization == released)
            // The broken twin: another run of the same plan releases for itself.
            #expect(try trainer.fit(data).normalization != released)
            // One that was to do without has none.
            #expect(try Self.trainer(try Self.plan(nil)).fit(data).normalization == nil)
        }
    }

    /// The model sees normalised examples, those to evaluate on too.
    @Test func theModelSeesNormalisedExamples() throws {
        let normalization = try PrivateNormalization(channelCount: 2, l2ClipNorm: 3, noiseMultiplier: 0.1)
        let (data, test) = (try twoClouds(200, seed: 3), try twoClouds(50, seed: 4))
        let outcome = try Self.trainer(try Self.plan(normalization), seed: 7).fit(data, evaluatingOn: test)
        let released = try #require(outcome.normalization)
        let model = try Network(.softmaxRegression(features: 2, classes: 2))
        #expect(
            try model.evaluate(on: NormalizedDataset(test, by: released), at: outcome.parameters)
                == outcome.evaluation)
        #expect(try model.evaluate(on: test, at: outcome.parameters) != outcome.evaluation)
        // Normalised beforehand, and without a normalization, a seeded run takes the same steps.
        let same = try Self.trainer(try Self.plan(nil), seed: 7).fit(NormalizedDataset(data, by: released))
        #expect(same.parameters == outcome.parameters)
    }

    // MARK: What is refused

    @Test func plansAreChecked() throws {
        for (channels, norm, z) in [
            (0, 1.0, 1.0), (2, 0, 1), (2, .infinity, 1), (2, .nan, 1), (2, 1, -1), (2, 1, .nan), (2, 1, .infinity),
        ] {
            #expect(throws: PlanError.self) {
                try PrivateNormalization(channelCount: channels, l2ClipNorm: norm, noiseMultiplier: z)
            }
        }
        let normalization = try PrivateNormalization(channelCount: 3, l2ClipNorm: 1, noiseMultiplier: 4)
        #expect(throws: PlanError.channelsDoNotFit(channels: 3, features: 2)) {
            try Self.trainer(try Self.plan(normalization)).fit(try twoClouds(200, seed: 3))
        }
        #expect(throws: PlanError.normalizationOfUsers) {
            try PrivacyPlan(
                sampling: .user(UserSampler(owners: [0, 0, 1, 2], userCount: 3, samplingProbability: 0.5)),
                iterations: 3, clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1), delta: 1e-6, unit: .user,
                normalization: normalization)
        }
        #expect(throws: PrivacyMechanismError.self) {
            try Self.plan(PrivateNormalization(channelCount: 3, l2ClipNorm: 1, noiseMultiplier: 1e-9))
        }
        #expect(throws: (any Error).self) {
            try Self.plan(
                PrivateNormalization(channelCount: 3, l2ClipNorm: 1, noiseMultiplier: 0.1), budget: .epsilon(1))
        }
    }

    @Test func plansComeBackAsTheyWere() throws {
        let normalization = try PrivateNormalization(channelCount: 3, l2ClipNorm: 0.25, noiseMultiplier: 4)
        let plan = try Self.plan(normalization, budget: .epsilon(3))
        #expect(try JSONDecoder().decode(PrivacyPlan.self, from: JSONEncoder().encode(plan)) == plan)
        #expect(plan != (try Self.plan(nil, budget: .noiseMultiplier(plan.noiseMultiplier))))
        #expect(throws: DecodingError.self) {
            let text = #"{"channelCount": 3, "l2ClipNorm": 1, "noiseMultiplier": 4, "clip": 1}"#
            return try JSONDecoder().decode(PrivateNormalization.self, from: Data(text.utf8))
        }
    }
}
