/// The event on records drawn uniformly with replacement. No accountant analyses it yet.
public struct SampledWithReplacementEvent: EventAnalysis {
    /// The number of records drawn from, at least 1.
    public let sourceSize: Int
    /// The number of draws, at least 0.
    public let sampleSize: Int
    /// What is done to the sample.
    public let event: PrivacyEvent

    static let kind = PrivacyEvent.Kind.sampledWithReplacement
    var asPrivacyEvent: PrivacyEvent { .sampledWithReplacement(self) }
    var name: String {
        "\(event.analysis.name) on \(sampleSize) of \(sourceSize) records sampled with replacement"
    }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless `sourceSize` ≥ 1 and `sampleSize` ≥ 0.
    public init(sourceSize: Int, sampleSize: Int, event: PrivacyEvent) throws(AccountingError) {
        self.sourceSize = try Check.count(sourceSize, "sourceSize", atLeast: 1)
        self.sampleSize = try Check.count(sampleSize, "sampleSize")
        self.event = event
    }

    /// Reads the tree and checks it.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            sourceSize: box.decode(Int.self, forKey: .sourceSize),
            sampleSize: box.decode(Int.self, forKey: .sampleSize),
            event: box.decode(PrivacyEvent.self, forKey: .event))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        if sampleSize > 0 { try phases.addMechanism(asPrivacyEvent, count: count) }
    }
}

extension PrivacyEvent {
    /// `event` on a sample with replacement.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless `sourceSize` ≥ 1 and `sampleSize` ≥ 0.
    public static func sampledWithReplacement(
        sourceSize: Int, sampleSize: Int, _ event: PrivacyEvent
    ) throws(AccountingError) -> PrivacyEvent {
        .sampledWithReplacement(
            try SampledWithReplacementEvent(sourceSize: sourceSize, sampleSize: sampleSize, event: event))
    }
}
