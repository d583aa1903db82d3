/// Whose data must be hard to tell from its absence.
public enum PrivacyUnit: String, Codable, Hashable, Sendable, CaseIterable {
    /// One example.
    case example
    /// One user, with all of the examples that are theirs.
    case user
}
