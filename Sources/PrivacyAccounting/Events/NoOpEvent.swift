/// Nothing touched the data.
struct NoOpEvent: EventAnalysis {
    static let kind = PrivacyEvent.Kind.noOp
    var asPrivacyEvent: PrivacyEvent { .noOp }
    var name: String { "nothing" }

    func flatten(into phases: inout Phases, count: Int) {}
}
