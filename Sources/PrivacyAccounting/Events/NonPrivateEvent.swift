/// Something touched the data without protection.
struct NonPrivateEvent: EventAnalysis {
    static let kind = PrivacyEvent.Kind.nonPrivate
    var asPrivacyEvent: PrivacyEvent { .nonPrivate }
    var name: String { "an unprotected release" }

    func flatten(into phases: inout Phases, count: Int) { phases.addNonPrivate() }
}
