/// Examples that a trainer reads by their place: in memory, or wherever a conforming type keeps them.
///
/// Which examples are read, and how often, is private: a conforming type must not log or publish it.
public protocol Dataset: Sendable {
    /// The number of examples. Under `NeighboringRelation.addOrRemoveOne` it is not public itself.
    var count: Int { get }

    /// The number of features of each example.
    var featureCount: Int { get }

    /// What was taken from the data before training, in whole sentences: no guarantee covers it, and the privacy report
    /// repeats it. Empty unless a conforming type says otherwise; one that wraps another data set must pass it on.
    var notCovered: [String] { get }

    /// The examples at `indices`, each in 0..<`count`, in that order. Throws what reading can throw.
    func examples(at indices: [Int]) throws -> Examples
}

extension Dataset {
    /// Nothing.
    public var notCovered: [String] { [] }
}
