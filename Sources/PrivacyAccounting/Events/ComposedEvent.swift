/// All of its events, adaptively.
public struct ComposedEvent: EventAnalysis {
    /// The events, in any order.
    public let events: [PrivacyEvent]

    static let kind = PrivacyEvent.Kind.composed
    var asPrivacyEvent: PrivacyEvent { .composed(self) }
    var name: String { "a composition of [\(events.map(\.analysis.name).joined(separator: "; "))]" }

    /// Composes `events`.
    public init(_ events: [PrivacyEvent]) { self.events = events }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        for event in events { try phases.add(event, count: count) }
    }
}

extension PrivacyEvent {
    /// All of `events`, adaptively.
    public static func composed(_ events: [PrivacyEvent]) -> PrivacyEvent { .composed(ComposedEvent(events)) }
}
