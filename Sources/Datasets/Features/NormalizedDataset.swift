import Requirements

/// A data set whose features are normalised when they are read: nothing is kept of them.
public struct NormalizedDataset: Dataset {
    /// What is normalised.
    public let base: any Dataset
    /// What it is normalised by.
    public let normalization: ChannelNormalization

    /// The examples of `base`, with every feature normalised.
    ///
    /// Traps unless the channels divide the features.
    public init(_ base: any Dataset, by normalization: ChannelNormalization) {
        require(
            base.featureCount.isMultiple(of: normalization.channelCount),
            "\(normalization.channelCount) channels do not divide the \(base.featureCount) features of a data set.")
        self.base = base
        self.normalization = normalization
    }

    /// The number of examples.
    public var count: Int { base.count }

    /// The number of features of each example.
    public var featureCount: Int { base.featureCount }

    /// What the base says.
    public var notCovered: [String] { base.notCovered }

    /// The examples at `indices`, normalised. Throws what reading throws.
    public func examples(at indices: [Int]) throws -> Examples {
        let examples = try base.examples(at: indices)
        let (targets, lengths) = (examples.targets, examples.lengths)
        var inputs = examples.inputs
        normalization.normalize(&inputs)
        return Examples(inputs: inputs, targets: targets, lengths: lengths)
    }
}
