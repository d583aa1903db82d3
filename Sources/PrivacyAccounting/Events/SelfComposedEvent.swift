/// The same event several times, adaptively.
public struct SelfComposedEvent: EventAnalysis {
    /// What is repeated.
    public let event: PrivacyEvent
    /// How often, at least 0.
    public let count: Int

    static let kind = PrivacyEvent.Kind.selfComposed
    var asPrivacyEvent: PrivacyEvent { .selfComposed(self) }
    var name: String { "\(count) times [\(event.analysis.name)]" }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless `count` ≥ 0.
    public init(_ event: PrivacyEvent, count: Int) throws(AccountingError) {
        self.event = event
        self.count = try Check.count(count, "count")
    }

    /// Reads the tree and checks it.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            box.decode(PrivacyEvent.self, forKey: .event), count: box.decode(Int.self, forKey: .count))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        try phases.add(event, count: Check.product(count, self.count))
    }
}

extension PrivacyEvent {
    /// `event`, `count` times.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless `count` ≥ 0.
    public static func selfComposed(_ event: PrivacyEvent, count: Int) throws(AccountingError) -> PrivacyEvent {
        .selfComposed(try SelfComposedEvent(event, count: count))
    }
}
