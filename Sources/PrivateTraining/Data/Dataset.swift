/// Examples that a trainer reads by their place: in memory, or wherever a conforming type keeps them.
///
/// Which examples are read, and how often, is private: a conforming type must not log or publish it.
public protocol Dataset: Sendable {
    /// The number of examples. Under ``NeighboringRelation/addOrRemoveOne`` it is not public itself.
    var count: Int { get }

    /// The number of features of each example.
    var featureCount: Int { get }

    /// The examples at `indices`, each in 0..<`count`, in that order. Throws what reading can throw.
    func examples(at indices: [Int]) throws -> Examples
}
