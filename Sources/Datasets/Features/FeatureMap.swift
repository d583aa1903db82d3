import LinearAlgebra
import Requirements

/// A fixed map from an example's inputs to the features that a model is trained on, such as a bank of filters for
/// images.
///
/// A map sees one example at a time, so that one that subtracts the batch's mean cannot be written.
///
/// **Guarantee**, which a conforming type must give: the features are a function of the example and of the map's
/// Codable description, and that description was chosen without a look at the private data. Then the features of an
/// example tell about nobody else, one person's change moves one row, and mapping costs no privacy. A map that was
/// trained on the data does not conform, nor one that keeps something of an example for the next.
public protocol FeatureMap: Codable, Sendable {
    /// Memory that is reused from one example to the next. Its contents must not matter.
    associatedtype Scratch = Void

    /// The number of inputs of an example.
    var inputCount: Int { get }

    /// The number of features of an example.
    var featureCount: Int { get }

    /// Memory for one thread.
    func makeScratch() -> Scratch

    /// Writes the features of one example: `inputCount` numbers to `featureCount`, which hold zeros before.
    ///
    /// Called on several threads at once. What is called within computes on one thread.
    func writeFeatures(of input: Span<Float>, to features: inout MutableSpan<Float>, scratch: inout Scratch)
}

extension FeatureMap where Scratch == Void {
    /// No memory.
    public func makeScratch() {}
}

extension FeatureMap {
    /// The features of each row of inputs: an examples × `featureCount` matrix. Rows are shared among threads.
    ///
    /// Traps unless the inputs have `inputCount` columns.
    public func features(of inputs: Matrix) -> Matrix {
        require(
            inputs.columns == inputCount,
            "A map of \(inputCount) columns does not fit inputs of shape \(inputs.rows) × \(inputs.columns).")
        let width = featureCount
        var result = Matrix(rows: inputs.rows, columns: width)
        result.withUnsafeMutableElements { target in
            // Members write disjoint rows.
            nonisolated(unsafe) let target = target
            Threads.withTeam(of: inputs.rows) { member in
                var scratch = makeScratch()
                for row in member.share(of: 0..<inputs.rows) {
                    let features = UnsafeMutableBufferPointer(rebasing: target[row * width..<(row + 1) * width])
                    features.update(repeating: 0)
                    var span = features.mutableSpan
                    Threads.withoutTeams {
                        inputs.withRow(row) { writeFeatures(of: $0, to: &span, scratch: &scratch) }
                    }
                }
            }
        }
        return result
    }
}

extension InMemoryDataset {
    /// The data set with each example's inputs replaced by its features.
    ///
    /// Traps unless the inputs have as many columns as the map takes.
    public func mapped(by map: some FeatureMap) -> InMemoryDataset {
        InMemoryDataset(
            inputs: map.features(of: inputs), targets: targets, lengths: lengths, notCovered: notCovered)
    }
}
