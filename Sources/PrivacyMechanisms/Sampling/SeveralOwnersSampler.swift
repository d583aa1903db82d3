import PrivacyAccounting
import Requirements

/// Sampling for examples that belong to several owners each, such as messages or photographs of groups: of every owner,
/// at most one example is in any b steps, and at most m in each epoch of L steps.
///
/// Examples are put into the steps of an epoch one after the other, in their order: each into the next step at which
/// all of its owners are free, and none where there is no such step or an owner has m examples already. The same
/// schedule holds in every epoch, so that an example recurs every L steps, as often as its step does.
///
/// Which examples an owner's data displaces depends on who owns what. So what is protected is *what an owner's examples
/// hold*, in a graph of owners and examples that is fixed and public (fixed-graph privacy, arXiv 2503.03622): no
/// add-or-remove relation is valid. Under Gaussian noise it is (m·⌊T/L⌋ + min(m, ⌈(T mod L)/b⌉)) × Gaussian z: steps
/// are taken to be known, and no amplification is claimed.
///
/// **Guarantee:** of the examples of one owner,
/// - no two are in one batch, nor in batches that are fewer than b steps apart;
/// - at most m are in the L steps of an epoch;
/// - which are in a step depends on the graph alone, and on no example's contents.
public struct SeveralOwnersSampler: BatchSampler {
    package static let kind = "several-owners"

    /// The number of owners, those without examples included.
    public let ownerCount: Int
    /// b.
    public let separation: Int
    /// L, after which the schedule begins again.
    public let stepsPerEpoch: Int
    /// m.
    public let contributionBound: Int
    private let owners: [[Int]]
    private let schedule: Allocation

    /// `owners[i]` are the owners of example i, each in 0..<`ownerCount`; an example without any is never used.
    ///
    /// Throws unless that is so and no owner stands twice in a list, `ownerCount` ≥ 0, `stepsPerEpoch` is in 1...2²⁴,
    /// `separation` in 1...`stepsPerEpoch` and `contributionBound` in 1...⌊stepsPerEpoch/separation⌋, which it is if it
    /// is nil: no owner can have more.
    public init(
        owners: [[Int]], ownerCount: Int, separation: Int, stepsPerEpoch: Int, contributionBound: Int? = nil
    ) throws(PrivacyMechanismError) {
        self.ownerCount = try SamplingCheck.count(ownerCount, "ownerCount")
        self.stepsPerEpoch = try SamplingCheck.count(stepsPerEpoch, "stepsPerEpoch", in: SamplingCheck.bins)
        self.separation = try SamplingCheck.count(separation, "separation", in: 1...stepsPerEpoch)
        let most = stepsPerEpoch / separation
        self.contributionBound =
            try SamplingCheck.count(contributionBound ?? most, "contributionBound", in: 1...most)
        for (example, list) in owners.enumerated() {
            for (place, owner) in list.enumerated() {
                guard (0..<ownerCount).contains(owner), !list[..<place].contains(owner) else {
                    throw .invalidSamplingParameter(
                        name: "An owner of example \(example)", value: "\(owner)",
                        allowed: "one of \(ownerCount) owners, numbered from 0 on, and named once")
                }
            }
        }
        self.owners = owners
        var plan = OwnerSchedule(separation: separation, length: stepsPerEpoch, most: self.contributionBound)
        let steps = owners.map { plan.step(of: $0) }
        schedule = Allocation(binCount: stepsPerEpoch, participations: steps.count { $0 != nil }) { visit in
            for (example, step) in steps.enumerated() { if let step { visit(example, step) } }
        }
    }

    /// The number of examples, those included that no step has.
    public var exampleCount: Int { owners.count }

    /// The number of examples that some step has: the contributions of an epoch.
    public var epochSize: Int { (0..<stepsPerEpoch).reduce(0) { $0 + schedule[$1].count } }

    /// The number of examples that some step has, over L: a function of the graph.
    public var expectedBatchSize: Double { Double(epochSize) / Double(stepsPerEpoch) }

    /// The number of owners.
    public var unitCount: Int { ownerCount }

    /// The owner, with what all of their examples hold.
    public var privacyUnit: PrivacyUnit { .user }

    /// Who owns which example is public for the promise, and no less confidential for that.
    public var isConfidential: Bool { true }

    /// Replace-one and replace-special: of the contents of one owner's examples.
    public var relations: Set<NeighboringRelation> { [.replaceOne, .replaceSpecial] }

    /// The graph decides the batch.
    public var repetition: BatchRepetition { .repeatsTheBatch }

    /// One sentence for reports.
    public var assumption: String {
        "Who owns which example is fixed and public, and not protected (fixed-graph privacy, arXiv 2503.03622): data "
            + "sets differ in what the examples of one user hold, those that the user shares with others included; at "
            + "most \(contributionBound) of a user's examples are in the batches of each epoch of \(stepsPerEpoch) "
            + "steps, at least \(separation) steps apart, and no amplification by sampling is claimed."
    }

    /// In at most m·⌊T/L⌋ + min(m, ⌈(T mod L)/b⌉) steps, at least b apart.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        let (epochs, rest) = iterations.quotientAndRemainder(dividingBy: stepsPerEpoch)
        let most = contributionBound * epochs + min(contributionBound, rest.dividedUp(by: separation))
        return try ParticipationPattern(
            iterations: iterations, unit: privacyUnit,
            choice: .slots(atMost: most, separation: separation, probability: 1, choices: 1), dependsOnUnitCount: true)
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "an owner could have examples in several parts")
    }

    /// The batch of `step`. O(batch).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        Array(schedule[SamplingCheck.split(step, by: stepsPerEpoch).place])
    }
}

/// Puts examples into the steps of a circle.
private struct OwnerSchedule {
    let separation: Int
    let length: Int
    let most: Int
    /// The steps that each owner has an example in: of those that have one, since a few words of a file can claim any
    /// number of others.
    private var taken: [Int: [Int]] = [:]
    /// Where the next example is tried first: steps get examples in turns.
    private var next = 0

    init(separation: Int, length: Int, most: Int) {
        self.separation = separation
        self.length = length
        self.most = most
    }

    /// The step of an example of `owners`, which is theirs from now on; nil if there is none.
    mutating func step(of owners: [Int]) -> Int? {
        guard !owners.isEmpty, owners.allSatisfy({ taken[$0, default: []].count < most }) else { return nil }
        var offset = 0
        search: while offset < length {
            let step = (next + offset) % length
            for owner in owners {
                for other in taken[owner, default: []] where distance(step, other) < separation {
                    // The first step after those that are too close to the other one.
                    offset += (other + separation - step + length) % length
                    continue search
                }
            }
            for owner in owners { taken[owner, default: []].append(step) }
            next = (step + 1) % length
            return step
        }
        return nil
    }

    /// How far apart two steps are on the circle: whichever way is shorter.
    private func distance(_ first: Int, _ second: Int) -> Int {
        let steps = abs(first - second)
        return min(steps, length - steps)
    }
}

extension SeveralOwnersSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case owners, ownerCount, separation, stepsPerEpoch, contributionBound
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            owners: container.decode([[Int]].self, forKey: .owners),
            ownerCount: container.decode(Int.self, forKey: .ownerCount),
            separation: container.decode(Int.self, forKey: .separation),
            stepsPerEpoch: container.decode(Int.self, forKey: .stepsPerEpoch),
            contributionBound: container.decodeIfPresent(Int.self, forKey: .contributionBound))
    }

    /// Writes the owners of each example by number.
    ///
    /// - Warning: who owns which example is as confidential as the data.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(owners, forKey: .owners)
        try container.encode(ownerCount, forKey: .ownerCount)
        try container.encode(separation, forKey: .separation)
        try container.encode(stepsPerEpoch, forKey: .stepsPerEpoch)
        try container.encode(contributionBound, forKey: .contributionBound)
    }
}

extension SamplingScheme {
    /// `"several-owners"`: examples that belong to several owners each.
    public static func severalOwners(_ sampler: SeveralOwnersSampler) -> SamplingScheme { SamplingScheme(sampler) }
}
