import PrivacyAccounting

/// How the batch of each step is chosen, and what may be claimed for it.
///
/// The protocol is sealed: a guarantee hangs on every conformer, and outside this package nobody can write one. To add
/// one, write a file with the sampler, its coding and its maker in ``SamplingScheme``, and a line in
/// ``SamplingScheme/samplers``.
///
/// A sampler is plain configuration: it can be compared and coded, and decoding checks it as making it does. The batch
/// of a step is a pure function of configuration, source and step.
///
/// **Guarantee:** what ``participation(in:)`` says is true of the batches, for two data sets that are neighbours under
/// any of ``relations``, whatever the source.
package protocol BatchSampler: Codable, Hashable, Sendable {
    /// The sampler's name in configuration.
    static var kind: String { get }

    /// The keys that a file may have beside `kind`.
    static var keys: [String] { get }

    /// The number of examples: batches hold indices in 0..<`exampleCount`.
    var exampleCount: Int { get }

    /// The number of units whose privacy is protected: the examples, unless the sampler draws others.
    var unitCount: Int { get }

    /// The constant N to divide clipped sums by: the expected size of a batch, never the size drawn.
    var expectedBatchSize: Double { get }

    /// How many contributions an epoch has: steps of N contributions each, on average, are an epoch when they have had
    /// as many.
    var epochSize: Int { get }

    /// Whose participation the pattern is about, and so whose privacy is protected.
    var privacyUnit: PrivacyUnit { get }

    /// The relations under which the pattern holds for both data sets, and an event made of it is valid.
    ///
    /// A layout that depends on how many examples there are, such as a permutation cut into batches, changes for all
    /// examples when one is added or removed; such samplers are not valid under
    /// ``/PrivacyAccounting/NeighboringRelation/addOrRemoveOne``.
    var relations: Set<NeighboringRelation> { get }

    /// What a claim takes for granted about the sampling and the data, in one sentence, for reports.
    var assumption: String { get }

    /// What becomes of the batch of a step that is taken a second time, under another key for the choices of steps.
    var repetition: BatchRepetition { get }

    /// Whether the configuration itself tells of the data, and must be kept as secret: who owns which example.
    var isConfidential: Bool { get }

    /// What is true of who takes part in the steps 0..<`iterations`. What they cost, a noise mechanism says.
    /// - Throws: ``/PrivacyAccounting/AccountingError/outOfRange(name:value:allowed:)`` for a negative count.
    func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern

    /// What is drawn at `step` ≥ 0, ascending: examples, or what the sampler draws in their place, whose examples
    /// ``rows(of:at:from:)`` finds. The result does not depend on `cache`, which saves rebuilding an epoch's allocation
    /// for every step of it.
    func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int]

    /// How ranks that hold a part of the examples each, this one `count` of them, draw its share of a batch.
    ///
    /// Throws `needsAllExamples` unless what ``participation(in:)`` says is true of all shares together: drawn under
    /// keys that are independent, whatever the parts are, and also where a run goes on with the data cut into other
    /// parts, and nothing is known of what was drawn before.
    func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler

    /// The batch that stands for what was `drawn` at `step`.
    func rows(of drawn: [Int], at step: Int, from source: SamplingSource) -> Batch
}

extension BatchSampler {
    /// Each example is one.
    package var unitCount: Int { exampleCount }

    /// That of each unit.
    package var epochSize: Int { unitCount }

    /// One example.
    package var privacyUnit: PrivacyUnit { .example }

    /// A batch of its own.
    package var repetition: BatchRepetition { .drawsAnew }

    /// A plain description, which may be published.
    package var isConfidential: Bool { false }

    /// The examples that were drawn, each a unit by itself.
    package func rows(of drawn: [Int], at step: Int, from source: SamplingSource) -> Batch { Batch(drawn) }

    /// What is drawn at `step` ≥ 0 alone.
    package func batch(at step: Int, from source: SamplingSource) -> [Int] {
        var cache = SamplingCache()
        return batch(at: step, from: source, cache: &cache)
    }
}
