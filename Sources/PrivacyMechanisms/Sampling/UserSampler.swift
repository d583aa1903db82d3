import PrivacyAccounting

/// User-level sampling: *users* are drawn as another sampler draws examples. Each that is drawn contributes the mean of
/// k of their examples, chosen uniformly, or of all if they have fewer.
///
/// The unit of privacy is the user with all of their examples. Users take part as examples do under ``base``, whose
/// pattern, relations and expected batch size are this sampler's, with users in the place of examples. The mean is one
/// contribution in a step: it is clipped once (``ClippedAggregate/add(_:meansOf:padding:)``), and the user moves the
/// sum by at most the clip norm. Which of their examples are chosen is one of the choices of single steps; no event
/// counts on it.
///
///     try UserSampler(owners: owners, examplesPerUser: 4) { (count) throws(PrivacyMechanismError) in
///         .bMinSep(try BMinSepSampler(exampleCount: count, separation: 8, samplingProbability: 0.05))
///     }
///
/// **Guarantee:**
/// - a batch holds at most k examples of each user that is drawn, each at most once, side by side as one unit, and no
///   example of nobody's;
/// - from ideal random bits users take part exactly as examples do under ``base``; a user's examples are a uniformly
///   random set of min(k, the number they have), exactly, independently of other users and steps.
public struct UserSampler: BatchSampler {
    package static let kind = "user"

    /// The number of examples, of all users and of nobody's.
    public let exampleCount: Int
    /// How users are drawn: `base.exampleCount` is the number of users.
    public let base: SamplingScheme
    /// k, the most examples that a user contributes the mean of.
    public let examplesPerUser: Int
    /// The users that own something, ascending: a few words of a file can claim any number of others.
    private let owning: [Int]
    /// The examples of each of them.
    private let examples: Allocation

    /// The number of users, those without examples included.
    public var userCount: Int { base.exampleCount }

    /// `owners[i]` is the user of example i, in 0..<`base.exampleCount`, or −1 for an example that is never to be used.
    ///
    /// Throws unless that is so, `base` draws examples and not users itself, each at most once for a step, and
    /// `examplesPerUser` ≥ 1.
    public init(owners: [Int], base: SamplingScheme, examplesPerUser: Int = 1) throws(PrivacyMechanismError) {
        guard base.privacyUnit == .example else {
            throw .invalidSamplingParameter(
                name: "The base of user sampling", value: base.kind, allowed: "sampling whose unit is an example")
        }
        // A user who is drawn twice for one step could contribute two different means. An event of draws with
        // replacement is about one contribution that counts twice.
        if let sampler = base.sampler as? FixedSizeSampler, sampler.isWithReplacement {
            throw .invalidSamplingParameter(
                name: "isWithReplacement of the base of user sampling", value: "true",
                allowed: "false: a user takes part in a step once")
        }
        let userCount = base.exampleCount
        self.base = base
        self.examplesPerUser = try SamplingCheck.count(examplesPerUser, "examplesPerUser", atLeast: 1)
        for (example, owner) in owners.enumerated() where !(-1..<userCount).contains(owner) {
            throw .invalidSamplingParameter(
                name: "The owner of example \(example)", value: "\(owner)",
                allowed: "one of \(userCount) users, numbered from 0 on, or −1 for nobody")
        }
        exampleCount = owners.count
        let owning = Set(owners.lazy.filter { $0 >= 0 }).sorted()
        self.owning = owning
        examples = Allocation(binCount: owning.count, participations: owners.count { $0 >= 0 }) { visit in
            for (example, owner) in owners.enumerated() {
                if let place = Self.place(of: owner, in: owning) { visit(example, place) }
            }
        }
    }

    /// Where a user stands among those that own something; nil for one who owns nothing. O(log users), and O(1) where
    /// all before them own something.
    private static func place(of user: Int, in owning: [Int]) -> Int? {
        if owning.indices.contains(user), owning[user] == user { return user }
        var range = owning.indices
        while let middle = range.isEmpty ? nil : range.lowerBound + range.count / 2 {
            if owning[middle] == user { return middle }
            range = owning[middle] < user ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return nil
    }

    /// Every user is drawn for every batch with `samplingProbability`, independently: see
    /// ``init(owners:base:examplesPerUser:)``.
    ///
    /// Throws as that, and unless `samplingProbability` is in [0, 1] and `userCount` ≥ 0.
    public init(
        owners: [Int], userCount: Int, samplingProbability: Double, examplesPerUser: Int = 1
    ) throws(PrivacyMechanismError) {
        let userCount = try SamplingCheck.count(userCount, "userCount")
        let poisson = try PoissonSampler(exampleCount: userCount, samplingProbability: samplingProbability)
        try self.init(owners: owners, base: .poisson(poisson), examplesPerUser: examplesPerUser)
    }

    /// `owners[i]` is whatever names the user of example i; users are those that own something, and `base` makes the
    /// sampler of as many. Every value is a name, −1 too: nobody owns examples only where
    /// ``init(owners:base:examplesPerUser:)`` says so.
    ///
    /// Throws as that, what `base` throws, and if it makes a sampler of another number of users.
    public init(
        owners: some Sequence<some Hashable>, examplesPerUser: Int = 1,
        base: (_ userCount: Int) throws(PrivacyMechanismError) -> SamplingScheme
    ) throws(PrivacyMechanismError) {
        let (owners, userCount) = Self.numbered(owners)
        let base = try base(userCount)
        try Self.check(base, userCount: userCount)
        try self.init(owners: owners, base: base, examplesPerUser: examplesPerUser)
    }

    /// The same, where every user is drawn for every batch with `samplingProbability`, independently.
    ///
    /// Throws unless `samplingProbability` is in [0, 1] and `examplesPerUser` ≥ 1.
    public init(
        owners: some Sequence<some Hashable>, samplingProbability: Double, examplesPerUser: Int = 1
    ) throws(PrivacyMechanismError) {
        try self.init(owners: owners, examplesPerUser: examplesPerUser) { (count) throws(PrivacyMechanismError) in
            .poisson(try PoissonSampler(exampleCount: count, samplingProbability: samplingProbability))
        }
    }

    private static func check(_ base: SamplingScheme, userCount: Int) throws(PrivacyMechanismError) {
        guard base.exampleCount == userCount else {
            throw .invalidSamplingParameter(
                name: "exampleCount of the base of user sampling", value: "\(base.exampleCount)",
                allowed: "the number of users, \(userCount)")
        }
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
        userRanges: [Range<Int>], exampleCount: Int, samplingProbability: Double, examplesPerUser: Int = 1
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
        try self.init(
            owners: owners, userCount: userRanges.count, samplingProbability: samplingProbability,
            examplesPerUser: examplesPerUser)
    }

    /// The expected number of users in a batch, those without examples included.
    public var expectedBatchSize: Double { base.expectedBatchSize }

    /// The number of users.
    public var unitCount: Int { userCount }

    /// The user.
    public var privacyUnit: PrivacyUnit { .user }

    /// Who owns which example is as confidential as the data.
    public var isConfidential: Bool { true }

    /// Those of ``base``, of a user with all of their examples.
    public var relations: Set<NeighboringRelation> { base.relations }

    /// That of ``base``. Of a user who is drawn again, examples are chosen anew.
    public var repetition: BatchRepetition { base.repetition }

    /// What is assumed of users, in the words that ``base`` has for examples, and of their examples.
    public var assumption: String {
        let contribution =
            examplesPerUser == 1
            ? "one example, chosen uniformly,"
            : "the mean of \(examplesPerUser) examples, chosen uniformly, or of all if they have fewer,"
        return base.assumption.replacing("example", with: "user")
            + " A user contributes \(contribution) which depends on no other user; the owner of each example is known."
    }

    /// That of ``base``, of users.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try base.participation(in: iterations).of(privacyUnit)
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "a user could have examples in several parts, each of which would be clipped by itself")
    }

    /// The users of `step`. As much as ``base`` takes for it.
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        base.sampler.batch(at: step, from: source, cache: &cache)
    }

    /// The examples of the users that were drawn, in the order of each one's first. O(batch · log batch).
    package func rows(of drawn: [Int], at step: Int, from source: SamplingSource) -> Batch {
        var stream = SamplingStream(source, .members(step))
        let units = drawn.compactMap { user -> [Int]? in
            guard let place = Self.place(of: user, in: owning) else { return nil }
            let own = examples[place]
            return stream.subset(of: own.count, size: min(own.count, examplesPerUser)).map { own[own.startIndex + $0] }
        }
        return Batch(units: units.sorted { $0[0] < $1[0] })
    }
}

extension UserSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case owners, userCount, samplingProbability, base, examplesPerUser
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would, and `DecodingError` unless there is
    /// one of `samplingProbability`, which means Poisson sampling of users, and `base`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let userCount = try SamplingCheck.count(container.decode(Int.self, forKey: .userCount), "userCount")
        let probability = try container.decodeIfPresent(Double.self, forKey: .samplingProbability)
        let given = try container.decodeIfPresent(SamplingScheme.self, forKey: .base)
        guard (given == nil) != (probability == nil) else {
            throw DecodingError.dataCorruptedError(
                forKey: .samplingProbability, in: container,
                debugDescription: "Exactly one of samplingProbability and base is needed, but "
                    + (given == nil ? "none was given: add one of them." : "both were given: leave one of them out."))
        }
        let base =
            try given
            ?? .poisson(PoissonSampler(exampleCount: userCount, samplingProbability: probability ?? .nan))
        try Self.check(base, userCount: userCount)
        try self.init(
            owners: container.decode([Int].self, forKey: .owners), base: base,
            examplesPerUser: container.decodeIfPresent(Int.self, forKey: .examplesPerUser) ?? 1)
    }

    /// Writes the owner of each example by number, −1 for nobody; of Poisson sampling its probability alone, and k
    /// unless it is 1.
    ///
    /// - Warning: who owns which example is as confidential as the data.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        var owners = [Int](repeating: -1, count: exampleCount)
        for (place, user) in owning.enumerated() {
            for example in examples[place] { owners[example] = user }
        }
        try container.encode(owners, forKey: .owners)
        try container.encode(userCount, forKey: .userCount)
        if let poisson = base.sampler as? PoissonSampler {
            try container.encode(poisson.samplingProbability, forKey: .samplingProbability)
        } else {
            try container.encode(base, forKey: .base)
        }
        if examplesPerUser != 1 { try container.encode(examplesPerUser, forKey: .examplesPerUser) }
    }
}

extension SamplingScheme {
    /// `"user"`.
    public static func user(_ sampler: UserSampler) -> SamplingScheme { SamplingScheme(sampler) }
}
