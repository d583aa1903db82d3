import LinearAlgebra

/// A fixed map from inputs to the features that a model is trained on, such as a bank of filters for images.
///
/// **Guarantee**, which a conforming type must give: row i of the features is a function of row i of the inputs and of
/// the map's Codable description, and that description was chosen without a look at the private data. Then the features
/// of an example tell about nobody else, one person's change moves one row, and mapping costs no privacy. A map that
/// subtracts the batch's mean, or that was trained on the data, does not conform.
public protocol FeatureMap: Codable, Sendable {
    /// The number of columns of the inputs.
    var inputCount: Int { get }

    /// The number of columns of the features.
    var featureCount: Int { get }

    /// The features of each row of `inputs`: an examples × `featureCount` matrix. Called on several threads at once.
    ///
    /// Traps unless the inputs have `inputCount` columns.
    func features(of inputs: Matrix) -> Matrix
}

extension InMemoryDataset {
    /// The data set with each input replaced by its features.
    ///
    /// Blocks of `blockSize` examples are mapped on all threads, so that a map's intermediate results need memory for a
    /// few blocks only. Traps unless the inputs have as many columns as the map takes, and the features as many as it says.
    public func mapped(by map: some FeatureMap, blockSize: Int = 256) -> InMemoryDataset {
        precondition(
            featureCount == map.inputCount,
            "A map of \(map.inputCount) columns does not fit inputs of shape \(count) × \(featureCount).")
        precondition(blockSize >= 1, "A block must have at least 1 example, not \(blockSize).")
        let blocks = (count + blockSize - 1) / blockSize
        let width = map.featureCount
        var result = Matrix(rows: count, columns: width)
        result.withUnsafeMutableElements { target in
            // Members write disjoint rows.
            nonisolated(unsafe) let target = target
            Threads.withTeam(of: blocks) { member in
                for block in member.share(of: 0..<blocks) {
                    let rows = block * blockSize..<min((block + 1) * blockSize, count)
                    let features = map.features(of: inputs.gatheringRows(Array(rows)))
                    precondition(
                        features.rows == rows.count && features.columns == width,
                        "A map made features of shape \(features.rows) × \(features.columns) "
                            + "instead of \(rows.count) × \(width).")
                    features.withUnsafeElements { features in
                        let place = target[rows.lowerBound * width..<rows.upperBound * width]
                        _ = UnsafeMutableBufferPointer(rebasing: place).update(fromContentsOf: features)
                    }
                }
            }
        }
        return InMemoryDataset(inputs: result, targets: targets, notCovered: notCovered)
    }
}
