/// Which two data sets must be hard to tell apart.
///
/// Throughout this package a noise multiplier is a noise standard deviation over the *add-or-remove* clip norm C.
/// Under ``replaceOne`` two clipped contributions may point in opposite directions and the sum moves by 2C; the
/// accountants account for that factor themselves, once. Callers never double anything.
public enum NeighboringRelation: String, Codable, Hashable, Sendable, CaseIterable {
    /// One data set has one record more than the other. The sum of clipped contributions moves by at most C.
    case addOrRemoveOne = "add-or-remove-one"

    /// The data sets have the same size, which is public, and differ in the value of one record: at most 2C.
    case replaceOne = "replace-one"

    /// One record is replaced by a record that contributes exactly zero ("zero-out"): at most C. The size of the
    /// data set is public.
    case replaceSpecial = "replace-special"

    /// How far one neighbour moves a sum of contributions clipped to norm 1.
    var sensitivityFactor: Double { self == .replaceOne ? 2 : 1 }
}
