import Requirements

/// A data set whose inputs become features when they are read: for data that does not lie in memory.
///
/// ``InMemoryDataset/mapped(by:)`` maps once, and gives the same bits.
public struct MappedDataset<Map: FeatureMap>: Dataset {
    /// What is mapped.
    public let base: any Dataset
    /// The map.
    public let map: Map

    /// The examples of `base`, with the features of each in the place of its inputs.
    ///
    /// Traps unless the inputs are as many as the map takes.
    public init(_ base: any Dataset, map: Map) {
        require(
            base.featureCount == map.inputCount,
            "A map of \(map.inputCount) inputs does not fit a data set of \(base.featureCount).")
        self.base = base
        self.map = map
    }

    /// The number of examples.
    public var count: Int { base.count }

    /// The number of features that the map makes of an example.
    public var featureCount: Int { map.featureCount }

    /// What the mapped data set says.
    public var notCovered: [String] { base.notCovered }

    /// The examples at `indices` with their features. Throws what reading throws.
    public func examples(at indices: [Int]) throws -> Examples {
        let examples = try base.examples(at: indices)
        return Examples(
            inputs: map.features(of: examples.inputs), targets: examples.targets, lengths: examples.lengths)
    }
}
