import Foundation
import PrivacyMechanisms
import Testing

struct UserSamplerTests {
    /// 200 users with 1 to 5 examples each, dealt in turns, and some examples of nobody's.
    private static let owners: [Int] = {
        var owners: [Int] = []
        for round in 0..<5 {
            for user in 0..<200 where user % 5 >= round { owners.append(user) }
            owners.append(-1)
        }
        return owners
    }()

    private static func ofUsers(_ batches: [[Int]]) -> BatchSamplerHistory {
        BatchSamplerHistory(exampleCount: 200, batches: batches.map { $0.map { owners[$0] } })
    }

    @Test func usersArePoissonSampledWithOneExampleEach() throws {
        let q = 0.2
        let sampler = try UserSampler(owners: Self.owners, userCount: 200, samplingProbability: q)
        let history = BatchSamplerHistory(of: sampler, steps: 2000)
        let users = Self.ofUsers(history.batches)
        func isAtMostOneEach(_ users: BatchSamplerHistory) -> Bool {
            users.batches.allSatisfy { Set($0).count == $0.count && !$0.contains(-1) }
        }
        #expect(isAtMostOneEach(users))
        #expect(users.isPoisson(probability: q))
        #expect(history.batches.allSatisfy { $0 == $0.sorted() })
        // Each of a user's examples is as likely: all examples of users with five of them.
        func isFair(_ batches: [[Int]]) -> Bool {
            var counts = [Int](repeating: 0, count: Self.owners.count)
            for batch in batches { for example in batch { counts[example] += 1 } }
            let five = Self.owners.indices.filter { Self.owners[$0] >= 0 && Self.owners[$0] % 5 == 4 }
            return CountStatistics.isUniform(five.map { counts[$0] })
        }
        #expect(isFair(history.batches))
        // Controls: sampling examples; the user's first example always.
        let plain = try PoissonSampler(exampleCount: Self.owners.count, samplingProbability: q)
        let examples = Batches(.poisson(plain), from: SamplingSource(nonPrivateSeed: 1)).prefix(100)
        #expect(!isAtMostOneEach(Self.ofUsers(examples.map { batch in batch.filter { Self.owners[$0] >= 0 } })))
        #expect(!isFair(history.batches.map { $0.map { Self.owners.firstIndex(of: Self.owners[$0])! } }))
    }

    /// All that draw examples, each at most once for a step.
    private static let bases = SamplingScheme.examples.prefix(11).filter {
        ($0.sampler as? FixedSizeSampler)?.isWithReplacement != true
    }

    /// Users are drawn as examples are by the base, whatever it is, and their rows lie beside each other.
    @Test(arguments: bases)
    func usersAreDrawnAsTheBaseDrawsExamples(_ base: SamplingScheme) throws {
        let k = 3
        let sampler = try UserSampler(owners: Self.owners, base: base, examplesPerUser: k)
        #expect(sampler.userCount == 200 && sampler.expectedBatchSize == base.expectedBatchSize)
        #expect(sampler.relations == base.relations && sampler.repetition == base.repetition)
        let pattern = try sampler.participation(in: 41)
        #expect(pattern.unit == .user)
        #expect(try pattern.choice == base.participation(in: 41).choice)
        let source = SamplingSource(nonPrivateSeed: 3)
        for (users, drawn) in zip(Batches(.user(sampler), from: source), Batches(base, from: source)).prefix(40) {
            let units = (0..<users.unitCount).map { unit in
                users.units.map { Array(users[$0[unit]]) } ?? [users[unit]]
            }
            let owners = units.map { Self.owners[$0[0]] }
            #expect(owners.sorted() == drawn.examples)
            for (unit, owner) in zip(units, owners) {
                #expect(unit.allSatisfy { Self.owners[$0] == owner } && Set(unit).count == unit.count)
                #expect(unit.count == min(k, owner % 5 + 1))
            }
        }
    }

    /// Of users with five examples, each of the ten sets of two is as likely.
    @Test func everySetOfExamplesIsAsLikely() throws {
        func counts(_ sampler: UserSampler) -> [[Int]: Int] {
            var counts: [[Int]: Int] = [:]
            for batch in Batches(.user(sampler), from: SamplingSource(nonPrivateSeed: 4)).prefix(400) {
                guard let units = batch.units else { continue }
                for unit in 0..<units.unitCount {
                    let own = batch.examples[units[unit]]
                    guard Self.owners[own.first!] % 5 == 4 else { continue }
                    let all = Self.owners.indices.filter { Self.owners[$0] == Self.owners[own.first!] }
                    counts[own.map { all.firstIndex(of: $0)! }, default: 0] += 1
                }
            }
            return counts
        }
        let fair = try counts(
            UserSampler(owners: Self.owners, userCount: 200, samplingProbability: 0.2, examplesPerUser: 2))
        #expect(fair.count == 10 && CountStatistics.isUniform(Array(fair.values)))
        // Control: sets of three are other sets, and the first two of them are not as likely.
        let first = try counts(
            UserSampler(owners: Self.owners, userCount: 200, samplingProbability: 0.2, examplesPerUser: 3)
        ).reduce(into: [[Int]: Int]()) { $0[Array($1.key.prefix(2)), default: 0] += $1.value }
        #expect(!CountStatistics.isUniform(Array(first.values)))
    }

    /// Which examples of a user are in a batch is a choice of that step, drawn anew with the step.
    @Test func examplesAreChosenAnew() throws {
        let sampler = SamplingScheme.user(
            try UserSampler(
                owners: Self.owners, base: .ballsInBins(BallsInBinsSampler(exampleCount: 200, bins: 4))))
        let source = SamplingSource()
        let again = source.withFreshSteps()
        let (first, second) = (sampler.batch(at: 5, from: source), sampler.batch(at: 5, from: again))
        #expect(first != second)
        #expect(Set(first.map { Self.owners[$0] }) == Set(second.map { Self.owners[$0] }))
    }

    @Test func oneFormInFiles() throws {
        func json(_ sampler: UserSampler) throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return String(decoding: try encoder.encode(sampler), as: UTF8.self)
        }
        let plain = try UserSampler(owners: [0, 1], userCount: 2, samplingProbability: 0.5)
        #expect(try json(plain) == #"{"owners":[0,1],"samplingProbability":0.5,"userCount":2}"#)
        let named = try UserSampler(owners: [0, 1]) { (count) throws(PrivacyMechanismError) in
            .poisson(try PoissonSampler(exampleCount: count, samplingProbability: 0.5))
        }
        #expect(named == plain)
        for keys in [
            "", #", "samplingProbability": 1, "base": {"kind": "balls-in-bins", "exampleCount": 2, "bins": 5}"#,
        ] {
            let error = #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(
                    UserSampler.self, from: Data(#"{"owners": [0, 1], "userCount": 2\#(keys)}"#.utf8))
            }
            #expect("\(error!)".contains("Exactly one of samplingProbability and base is needed"))
        }
    }

    @Test func assumptionsAreAboutUsers() throws {
        for base in Self.bases {
            let sampler = try UserSampler(owners: Self.owners, base: base, examplesPerUser: 3)
            #expect(sampler.assumption.contains("user") && sampler.assumption.contains("the mean of 3 examples"))
            #expect(!sampler.assumption.hasPrefix(base.assumption))
            #expect(sampler.assumption.count > base.assumption.count)
        }
    }

    @Test func namesAndRangesSayTheSame() throws {
        let names = ["ada", "ada", "bob", "eve", "eve", "eve"]
        let byName = try UserSampler(owners: names, samplingProbability: 0.5)
        let byNumber = try UserSampler(owners: [0, 0, 1, 2, 2, 2], userCount: 3, samplingProbability: 0.5)
        let byRange = try UserSampler(userRanges: [0..<2, 2..<3, 3..<6], exampleCount: 6, samplingProbability: 0.5)
        #expect(byName == byNumber && byRange == byNumber)
        #expect(byName.userCount == 3 && byName.exampleCount == 6 && byName.expectedBatchSize == 1.5)
        #expect(byName.privacyUnit == .user)
        // Control: other owners.
        #expect(try UserSampler(owners: names.reversed(), samplingProbability: 0.5) != byName)
    }

    @Test func usersWithoutExamplesAndExamplesWithoutUsersContributeNothing() throws {
        let sampler = try UserSampler(userRanges: [2..<4, 3..<3, 6..<7], exampleCount: 9, samplingProbability: 1)
        #expect(sampler.userCount == 3 && sampler.expectedBatchSize == 3)
        let batches = BatchSamplerHistory(of: sampler, steps: 100).batches
        #expect(Set(batches) == [[2, 6], [3, 6]])
        let nobody = try UserSampler(owners: [Int](), userCount: 0, samplingProbability: 1)
        #expect(BatchSamplerHistory(of: nobody, steps: 3).batches == [[], [], []])
    }

    /// A few words can claim any number of users: those without examples take no memory, and no time.
    @Test(arguments: [1 << 40, Int.max]) func claimedUsersTakeNoPlace(_ userCount: Int) throws {
        let last = userCount - 1
        let sampler = try UserSampler(owners: [last, 5, -1, last], userCount: userCount, samplingProbability: 0)
        #expect(sampler.userCount == userCount && sampler.exampleCount == 4)
        let drawn = sampler.rows(of: [4, 5, last], at: 0, from: SamplingSource(nonPrivateSeed: 1))
        #expect(drawn.count == 2 && drawn.contains(1) && (drawn.contains(0) || drawn.contains(3)))
        let text = try JSONEncoder().encode(SamplingScheme.user(sampler))
        #expect(try JSONDecoder().decode(SamplingScheme.self, from: text) == .user(sampler))
    }

    @Test func badOwnersThrow() throws {
        #expect(throws: PrivacyMechanismError.exampleOfTwoUsers(example: 4)) {
            try UserSampler(userRanges: [0..<2, 3..<5, 4..<6], exampleCount: 9, samplingProbability: 0.5)
        }
        for range in [-1..<2, 8..<10] {
            let expected = PrivacyMechanismError.invalidSamplingParameter(
                name: "The range of user 1", value: "\(range)", allowed: "in 0..<9")
            #expect(throws: expected) {
                try UserSampler(userRanges: [0..<0, range], exampleCount: 9, samplingProbability: 0.5)
            }
        }
        for owner in [-2, 3] {
            let expected = PrivacyMechanismError.invalidSamplingParameter(
                name: "The owner of example 1", value: "\(owner)",
                allowed: "one of 3 users, numbered from 0 on, or −1 for nobody")
            #expect(throws: expected) {
                try UserSampler(owners: [0, owner], userCount: 3, samplingProbability: 0.5)
            }
        }
        #expect(throws: PrivacyMechanismError.self) {
            try UserSampler(owners: [0], userCount: 3, samplingProbability: .nan)
        }
        #expect(throws: PrivacyMechanismError.self) {
            try UserSampler(owners: [], userCount: -1, samplingProbability: 0.5)
        }
        #expect(throws: PrivacyMechanismError.self) {
            try UserSampler(userRanges: [], exampleCount: -1, samplingProbability: 0.5)
        }
    }
}
