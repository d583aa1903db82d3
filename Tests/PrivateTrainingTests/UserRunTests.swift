import GradientTransformations
import LinearAlgebra
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

/// Plans and runs whose unit is the user.
@Suite struct UserRunTests {
    /// User u has u mod 5 + 1 examples, dealt in turns.
    private static let owners: [Int] = (0..<5).flatMap { round in (0..<60).filter { $0 % 5 >= round } }

    private static func sampler(_ k: Int, base: SamplingScheme? = nil) throws -> UserSampler {
        try UserSampler(
            owners: owners, base: base ?? .poisson(PoissonSampler(exampleCount: 60, samplingProbability: 0.5)),
            examplesPerUser: k)
    }

    private static func plan(
        _ sampling: SamplingScheme, z: Double = 1, iterations: Int = 4, relation: NeighboringRelation = .addOrRemoveOne
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: sampling, iterations: iterations, clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(z),
            delta: 1e-5, relation: relation, unit: .user)
    }

    /// The parameters after all steps, and the indices of each block that was asked for.
    private static func run(
        _ plan: PrivacyPlan, microbatchSize: Int?, multiple: Int = 1
    ) throws -> (parameters: [Float], blocks: [[Int]]) {
        let layout = try TreeLayout([("x", [8])])
        var run = try PrivateRun(
            plan, optimizer: IdentityAugmented(sgd(learningRate: 1)), parameters: ParameterVector(zeros: layout),
            nonPrivateSeed: 5)
        var blocks: [[Int]] = []
        while !run.isFinished {
            try run.step(microbatchSize: microbatchSize, paddedToMultipleOf: multiple) { indices, _ in
                blocks.append(indices)
                var rows = Matrix(rows: indices.count, columns: 8)
                for (row, index) in indices.enumerated() {
                    for column in 0..<8 { rows[row, column] = Float((index * 37 + column * 11) % 29 - 14) }
                }
                return try DenseRows(rows, layout: layout)
            }
        }
        return (run.parameters.values, blocks)
    }

    /// Whether the examples of each user are in one block, and nowhere else in its step.
    private static func areWhole(_ blocks: [[Int]]) -> Bool {
        blocks.allSatisfy { block in
            let users = block.filter { $0 >= 0 }.map { owners[$0] }
            let runs = users.indices.count { $0 == 0 || users[$0] != users[$0 - 1] }
            return runs == Set(users).count
        }
    }

    /// However a batch is cut, no user is, and no bit of the parameters depends on it.
    @Test(arguments: [1, 2, 3, 7, 32], [1, 8])
    func microbatchesDoNotTearUsers(microbatchSize: Int, multiple: Int) throws {
        let plan = try Self.plan(.user(Self.sampler(3)))
        let whole = try Self.run(plan, microbatchSize: nil)
        let cut = try Self.run(plan, microbatchSize: microbatchSize, multiple: multiple)
        #expect(cut.parameters == whole.parameters && whole.blocks.count == 4)
        #expect(Self.areWhole(cut.blocks) && cut.blocks.allSatisfy { $0.count % multiple == 0 })
        #expect(cut.blocks.joined().filter { $0 >= 0 } == Array(whole.blocks.joined()))
        // A user in two blocks is in both by part: every user is in one block of each step.
        let users = cut.blocks.map { Set($0.filter { $0 >= 0 }.map { Self.owners[$0] }) }
        let count: Int = users.reduce(0) { $0 + $1.count }
        let expected = whole.blocks.reduce(0) { (sum: Int, block: [Int]) -> Int in
            sum + Set(block.map { Self.owners[$0] }).count
        }
        #expect(count == expected)
        // The broken twin: blocks of so many rows.
        if microbatchSize < 3 {
            let torn = whole.blocks.flatMap { block in
                stride(from: 0, to: block.count, by: microbatchSize).map { Array(block[$0...].prefix(microbatchSize)) }
            }
            let parts = torn.map { Set($0.map { Self.owners[$0] }) }
            #expect(parts.reduce(0) { $0 + $1.count } > count)
        }
    }

    /// What a user gives to the sum is the clipped mean over the expected number of users.
    @Test func theStepIsTheMeanOfClippedMeans() throws {
        let sampler = try Self.sampler(2, base: .poisson(PoissonSampler(exampleCount: 60, samplingProbability: 1)))
        let plan = try Self.plan(.user(sampler), z: 0, iterations: 1)
        #expect(plan.normalizeBy == 60 && plan.unitCount == 60)
        let (parameters, blocks) = try Self.run(plan, microbatchSize: nil)
        var expected = [Double](repeating: 0, count: 8)
        for user in 0..<60 {
            let own = blocks[0].filter { Self.owners[$0] == user }
            #expect(own.count == min(2, user % 5 + 1))
            let mean = (0..<8).map { column in
                own.reduce(0.0) { $0 + Double(($1 * 37 + column * 11) % 29 - 14) } / Double(own.count)
            }
            let norm = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for column in 0..<8 { expected[column] -= mean[column] / max(1, norm) / 60 }
        }
        // Clip factors have a margin below 2⁻²².
        #expect(zip(parameters, expected).allSatisfy { abs(Double($0) - $1) <= 0x1p-20 })
    }

    /// The promise is the base's, with users in the place of examples.
    @Test func aPlanOfUsersCostsWhatItsBaseCosts() throws {
        for base in try [
            .poisson(PoissonSampler(exampleCount: 60, samplingProbability: 0.1)),
            .cyclicPoisson(CyclicPoissonSampler(exampleCount: 60, bands: 3, samplingProbability: 0.2)),
            .bMinSep(BMinSepSampler(exampleCount: 60, separation: 3, samplingProbability: 0.1)),
            .ballsInBins(BallsInBinsSampler(exampleCount: 60, bins: 8)),
            .randomAllocation(RandomAllocationSampler(exampleCount: 60, participations: 1, stepsPerEpoch: 8)),
        ] as [SamplingScheme] {
            let ofExamples = try PrivacyPlan(
                sampling: base, iterations: 20, clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1),
                delta: 1e-5)
            let ofUsers = try Self.plan(.user(Self.sampler(3, base: base)), iterations: 20)
            #expect(try ofUsers.epsilon() == ofExamples.epsilon() && ofUsers.epsilon() > 0)
            #expect(ofUsers.normalizeBy == ofExamples.normalizeBy)
            // Control: a plan of examples does not promise it to users.
            #expect(throws: PlanError.unitMismatch(promised: .user, sampled: .example)) { try Self.plan(base) }
        }
        let fixed = SamplingScheme.user(
            try Self.sampler(3, base: .fixedSize(FixedSizeSampler(exampleCount: 60, batchSize: 6))))
        #expect(throws: PlanError.self) { try Self.plan(fixed) }
        let request = PrivacyPlan.Budget.noiseMultiplier(1)
        let plan = try PrivacyPlan(
            sampling: fixed, iterations: 20, clipping: .flat(l2ClipNorm: 1), budget: request, delta: 1e-5,
            relation: .replaceOne, unit: .user, accountant: .rdp)
        #expect(try plan.epsilon() > 0)
    }

    /// An epoch is each user once, and a δ is large beside the number of users, not of examples.
    @Test func epochsAndDeltasAreOfUsers() throws {
        var request = PlanRequest(clipping: .flat(l2ClipNorm: 1), delta: 1.0 / 60)
        request.sampling = .user(try Self.sampler(3))
        request.unit = .user
        request.noiseMultiplier = 1
        request.epochs = 5
        let plan = try request.plan()
        #expect(plan.iterations == 10)
        #expect(plan.warnings().contains(.largeDelta(1.0 / 60, units: 60, unit: .user)))
        request.delta = 1.0 / 61
        #expect(try !request.plan().warnings().contains { if case .largeDelta = $0 { true } else { false } })
        // Control: there are more examples than that.
        #expect(Self.owners.count > 61)
    }

    /// Examples that users share: the same schedule, and the contents of a user's examples as what is protected.
    @Test func sharedExamplesHaveAPlanOfTheirOwn() throws {
        let owners = (0..<120).map { $0 % 3 == 0 ? [$0 % 40, ($0 + 7) % 40] : [$0 % 40] }
        let sampler = try SeveralOwnersSampler(
            owners: owners, ownerCount: 40, separation: 5, stepsPerEpoch: 20, contributionBound: 2)
        let sampling = SamplingScheme.severalOwners(sampler)
        #expect(throws: PlanError.self) { try Self.plan(sampling) }
        let plan = try Self.plan(sampling, z: 2, iterations: 30, relation: .replaceSpecial)
        // Two in the first epoch, ⌈10/5⌉ in the half of the second: four queries of one Gaussian each.
        #expect(try plan.sampling.participation(in: 30).mostParticipations == 4)
        #expect(try plan.epsilon() > 0)
        var request = plan.request
        request.iterations = nil
        request.epochs = 3
        #expect(try request.plan().iterations == 60)
        let report = PrivacyReport(of: plan)
        #expect(report.unitCount == 40 && report.users == nil)
        #expect(report.assumption.contains("fixed-graph privacy"))
    }

    @Test func aReportNamesUnitsSamplingAndContributions() throws {
        let base = SamplingScheme.bMinSep(try BMinSepSampler(exampleCount: 60, separation: 3, samplingProbability: 0.1))
        let report = PrivacyReport(of: try Self.plan(.user(Self.sampler(3, base: base))))
        #expect(report.unit == .user && report.unitCount == 60)
        #expect(report.users == .init(sampling: "b-min-sep", examplesPerUser: 3))
        for part in ["each user of 60", "user, users by b-min-sep, each with the mean of up to 3 examples"] {
            #expect(report.text.contains(part), "\(report.text)")
        }
        #expect(report.notCovered.contains { $0.contains("number of users") })
        #expect(!report.notCovered.contains { $0.contains("A person with k examples") })
    }
}
