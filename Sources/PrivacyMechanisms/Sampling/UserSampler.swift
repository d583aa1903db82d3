import PrivacyAccounting

/// User-level sampling: every *user* is drawn for every batch with probability q, independently, and contributes one of
/// their examples, chosen uniformly.
///
/// Users take part as examples do under ``PoissonSampler``, and the unit of privacy is the user with all of their
/// examples: a user's examples are in no more than one row of any batch, and taking a user away changes nothing for the
/// others.
///
/// **Guarantee:**
/// - a batch holds at most one example of each user, and no example of nobody's;
/// - from ideal random bits the law is exactly that of the event with q rounded down to a multiple of 2⁻⁶⁴, which the
///   event with q covers (see `Dyadic`). A user's example is a uniform integer, exactly.
public struct UserSampler: BatchSampler {
    package static let kind = "user"

    /// The number of examples, of all users and of nobody's.
    public let exampleCount: Int
    /// q, for each user.
    public let samplingProbability: Double
    /// Each user's examples.
    private let examples: Allocation

    /// The number of users, those without examples included.
    public var userCount: Int { examples.binCount }

    /// `owners[i]` is the user of example i, in 0..<`userCount`, or −1 for an example that is never to be used.
    ///
    /// Throws unless that is so, `samplingProbability` is in [0, 1] and `userCount` ≥ 0.
    public init(owners: [Int], userCount: Int, samplingProbability: Double) throws(PrivacyMechanismError) {
        let userCount = try SamplingCheck.count(userCount, "userCount")
        self.samplingProbability = try SamplingCheck.probability(samplingProbability)
        for (example, owner) in owners.enumerated() where !(-1..<userCount).contains(owner) {
            throw .invalidSamplingParameter(
                name: "The owner of example \(example)", value: "\(owner)",
                allowed: "one of \(userCount) users, numbered from 0 on, or −1 for nobody")
        }
        exampleCount = owners.count
        examples = Allocation(binCount: userCount, participations: owners.count { $0 >= 0 }) { visit in
            for (example, owner) in owners.enumerated() where owner >= 0 { visit(example, owner) }
        }
    }

    /// `owners[i]` is whatever names the user of example i; users are those that own something. Every value is a name,
    /// −1 too: nobody owns examples only where ``init(owners:userCount:samplingProbability:)`` says so.
    ///
    /// Throws unless `samplingProbability` is in [0, 1].
    public init(
        owners: some Sequence<some Hashable>, samplingProbability: Double
    ) throws(PrivacyMechanismError) {
        let (owners, userCount) = Self.numbered(owners)
        try self.init(owners: owners, userCount: userCount, samplingProbability: samplingProbability)
    }

    /// Users by number, in the order in which they first appear.
    private static func numbered<User: Hashable>(_ owners: some Sequence<User>) -> (owners: [Int], userCount: Int) {
        var numbers: [User: Int] = [:]
        let owners = owners.map { owner in
            if let number = numbers[owner] { return number }
            numbers[owner] = numbers.count
            return numbers.count - 1
        }
        return (owners, numbers.count)
    }

    /// User u owns the examples in `userRanges[u]`; what lies in no range is never used.
    ///
    /// Throws ``PrivacyMechanismError/exampleOfTwoUsers(example:)`` for ranges that overlap, and for ranges outside
    /// 0..<`exampleCount` or a probability outside [0, 1].
    public init(
        userRanges: [Range<Int>], exampleCount: Int, samplingProbability: Double
    ) throws(PrivacyMechanismError) {
        var owners = [Int](repeating: -1, count: try SamplingCheck.count(exampleCount, "exampleCount"))
        for (user, range) in userRanges.enumerated() {
            guard range.isEmpty || range.lowerBound >= 0 && range.upperBound <= exampleCount else {
                throw .invalidSamplingParameter(
                    name: "The range of user \(user)", value: "\(range)", allowed: "in 0..<\(exampleCount)")
            }
            for example in range {
                guard owners[example] < 0 else { throw .exampleOfTwoUsers(example: example) }
                owners[example] = user
            }
        }
        try self.init(owners: owners, userCount: userRanges.count, samplingProbability: samplingProbability)
    }

    /// q · the number of users.
    public var expectedBatchSize: Double { Double(userCount) * samplingProbability }

    /// The number of users.
    public var unitCount: Int { userCount }

    /// The user.
    public var privacyUnit: PrivacyUnit { .user }

    /// Who owns which example is as confidential as the data.
    public var isConfidential: Bool { true }

    /// All, of a user with all of their examples.
    public var relations: Set<NeighboringRelation> { Set(NeighboringRelation.allCases) }

    /// One sentence for reports.
    public var assumption: String {
        "Every user is in every batch with probability \(samplingProbability), independently of all other users and "
            + "steps, with one example that depends on no other user; the owner of each example is known, and batches "
            + "stay hidden."
    }

    /// In each step with probability q, for a user.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(
            iterations: iterations, unit: privacyUnit, choice: .eachStep(probability: samplingProbability))
    }

    /// The batch of `step`. O(batch · log batch).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        var stream = SamplingStream(source, .step(step))
        var batch: [Int] = []
        for user in stream.selection(of: userCount, probability: samplingProbability) {
            let own = examples[user]
            if !own.isEmpty { batch.append(own[own.startIndex + stream.uniform(below: own.count)]) }
        }
        return batch.sorted()
    }
}

extension UserSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case owners, userCount, samplingProbability
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            owners: container.decode([Int].self, forKey: .owners),
            userCount: container.decode(Int.self, forKey: .userCount),
            samplingProbability: container.decode(Double.self, forKey: .samplingProbability))
    }

    /// Writes the owner of each example by number, −1 for nobody.
    ///
    /// - Warning: who owns which example is as confidential as the data.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        var owners = [Int](repeating: -1, count: exampleCount)
        for user in 0..<userCount {
            for example in examples[user] { owners[example] = user }
        }
        try container.encode(owners, forKey: .owners)
        try container.encode(userCount, forKey: .userCount)
        try container.encode(samplingProbability, forKey: .samplingProbability)
    }
}

extension SamplingScheme {
    /// `"user"`.
    public static func user(_ sampler: UserSampler) -> SamplingScheme { SamplingScheme(sampler) }
}
