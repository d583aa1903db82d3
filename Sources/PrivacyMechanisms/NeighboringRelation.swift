/// Which two data sets count as neighbours: what a privacy guarantee promises to hide.
public enum NeighboringRelation: String, Codable, CaseIterable, Sendable {
    /// One example is added or removed.
    case addOrRemoveOne = "add-or-remove-one"
    /// One example is replaced by another. The clipped sum then moves by at most twice the clip norm.
    case replaceOne = "replace-one"
    /// One example is replaced by a special value that contributes zero ("zero-out").
    case replaceSpecial = "replace-special"
}
