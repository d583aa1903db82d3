import PrivacyAccounting

/// Sampling in which an example's participations are at least b steps apart, as noise of b bands needs it, and which
/// treats all steps alike: at every step, every example is in the batch with probability q ≤ 1/b.
///
/// Each example has a clock of its own that cuts time into frames of F steps, F = min(2b − 1, ⌊1/q⌋), with a phase
/// drawn once. Each frame has a slot, one of its first F − b + 1 steps, and in its slot the example participates with
/// probability r = qF. All of these choices are independent, and any step's batch can be found without those before it.
/// For b = 1 this is Poisson sampling, for q = 1/b it is balls in bins. (In the scheme of this name in arXiv
/// 2602.09338, an example that has waited for b steps participates with a fixed probability at each step until it does.
/// Where it stands then depends on everything before, and a run could not be resumed without a replay.)
///
/// Of an example's frames at most K can have their slot in T steps: 2 + ⌊(T − 1 − b)/F⌋ for T > b, one for fewer. Given
/// its phase they are independent, so that under Gaussian noise the T steps are K times one step of F − b + 1, with
/// probability r. That is valid under every relation, since examples are independent; a frame of which the run has a
/// part only tells less.
///
/// Phases and slots are the run's structure, which stays when a run goes on from a checkpoint: drawn anew, two of an
/// example's slots could be closer than b. Whether an example takes its slot is the choice of that step, and is made
/// anew. Slots must stay hidden: see ``BatchRepetition`` for what a step that is taken twice costs.
///
/// **Guarantee:**
/// - an example's participations are at least b steps apart, and its slots in the steps 0..<T are at most K;
/// - from ideal random bits the law is exactly that of the event with r rounded down to a multiple of 2⁻⁶⁴, which the
///   event with r covers (see `Dyadic`); r itself is qF in Float64, for both. Phases and slots are uniform integers,
///   exactly.
public struct BMinSepSampler: BatchSampler {
    package static let kind = "b-min-sep"

    /// The number of examples.
    public let exampleCount: Int
    /// b.
    public let separation: Int
    /// q, at each step.
    public let samplingProbability: Double
    /// F, the length of an example's frames.
    let frame: Int
    /// F − b + 1, the steps of a frame that can be its slot.
    var choices: Int { frame - separation + 1 }
    /// r, the probability of participating in a slot.
    var slotProbability: Double { min(1, samplingProbability * Double(frame)) }

    /// Throws unless `exampleCount` ≥ 0, `separation` is in 1...2²⁴ and `samplingProbability` in [0, 1/separation].
    public init(
        exampleCount: Int, separation: Int, samplingProbability: Double
    ) throws(PrivacyMechanismError) {
        self.exampleCount = try SamplingCheck.count(exampleCount, "exampleCount")
        self.separation = try SamplingCheck.count(separation, "separation", in: SamplingCheck.bins)
        guard (0...1 / Double(separation)).contains(samplingProbability) else {
            throw .invalidSamplingParameter(
                name: "samplingProbability", value: "\(samplingProbability)", allowed: "in [0, 1/\(separation)]")
        }
        self.samplingProbability = samplingProbability
        let wholeFrames = min(Double(2 * separation - 1), (1 / samplingProbability).rounded(.down))
        frame = max(separation, Int(wholeFrames))
    }

    /// n·q.
    public var expectedBatchSize: Double { Double(exampleCount) * samplingProbability }

    /// All.
    public var relations: Set<NeighboringRelation> { Set(NeighboringRelation.allCases) }

    /// A batch of its own, unless every slot is taken.
    public var repetition: BatchRepetition { slotProbability < 1 ? .drawsAnew : .repeatsTheBatch }

    /// One sentence for reports.
    public var assumption: String {
        "Every example may participate in slots that are at least \(separation) steps apart, in each with probability "
            + "\(slotProbability), independently of other examples and slots; "
            + (choices > 1
                ? "a slot is one of \(choices) steps, at random, and slots and batches stay hidden."
                : "batches stay hidden, slots need not.")
    }

    /// K slots, at least b steps apart, each one of F − b + 1 steps and taken with probability r.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(
            iterations: iterations,
            choice: .slots(
                atMost: mostSlots(in: iterations), separation: separation, probability: slotProbability,
                choices: choices))
    }

    /// Slots m frames apart are at least (m − 1)F + b steps apart, since a slot lies at most F − b steps into its
    /// frame: k of them need (k − 2)F + b + 1 steps.
    func mostSlots(in steps: Int) -> Int {
        if steps == 0 { return 0 }
        return steps > separation ? 2 + (steps - 1 - separation) / frame : 1
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "its slots are drawn for many steps at once, and parts that are cut anew would change them")
    }

    /// The batch of `step`. O(batch); without a cache, and once in each F steps, O(n + F).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        let (window, place) = SamplingCheck.split(step, by: frame)
        let slots = cache.allocation(of: self, in: window, from: source) { allSlots(in: window, of: source) }[place]
        var stream = SamplingStream(source, .step(step))
        return stream.selection(of: slots.count, probability: slotProbability).map { slots[slots.startIndex + $0] }
    }

    /// Who has a slot in the steps window·F..<(window + 1)·F. An example's frame m begins at mF less its phase, so that
    /// two of its frames meet the window.
    private func allSlots(in window: Int, of source: SamplingSource) -> Allocation {
        var layout = SamplingStream(source, .layout)
        var (first, second) = (SamplingStream(source, .epoch(window)), SamplingStream(source, .epoch(window + 1)))
        var found: [(example: Int, step: Int)] = []
        found.reserveCapacity(exampleCount + exampleCount / 8)
        for example in 0..<exampleCount {
            let phase = layout.uniform(below: frame)
            for step in [first.uniform(below: choices) - phase, second.uniform(below: choices) + frame - phase]
            where (0..<frame).contains(step) {
                found.append((example, step))
            }
        }
        return Allocation(binCount: frame, participations: found.count) { visit in
            for (example, step) in found { visit(example, step) }
        }
    }
}

extension BMinSepSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case exampleCount, separation, samplingProbability
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            exampleCount: container.decode(Int.self, forKey: .exampleCount),
            separation: container.decode(Int.self, forKey: .separation),
            samplingProbability: container.decode(Double.self, forKey: .samplingProbability))
    }
}

extension SamplingScheme {
    /// `"b-min-sep"`.
    public static func bMinSep(_ sampler: BMinSepSampler) -> SamplingScheme { SamplingScheme(sampler) }
}
