import LinearAlgebra

/// A fixed map of inputs to features that are easier to learn from.
///
/// **Guarantee:** the features of an example are a function of that example and of public constants alone: mapping a data
/// set changes nothing about what a plan promises. A conforming type must not look at one example for the sake of another,
/// as a mean or a variance over the data would.
public protocol FeatureMap: Codable, Hashable, Sendable {
    /// The number of features that `inputCount` inputs become; throws ``FeatureMapError`` if the map takes no such inputs.
    func featureCount(for inputCount: Int) throws(FeatureMapError) -> Int

    /// The features of each row of inputs. Traps unless ``featureCount(for:)`` has an answer for such rows.
    func features(of inputs: Matrix) -> Matrix
}

/// What a feature map cannot do.
public enum FeatureMapError: Error, Equatable, Sendable {
    /// It takes other inputs.
    case inputMismatch(map: String, expected: Int, found: Int)
    /// One of its constants is out of range.
    case outOfRange(name: String, value: String, allowed: String)
}

extension FeatureMapError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .inputMismatch(let map, let expected, let found):
            "The \(map) features take examples of \(expected) inputs, but these have \(found): choose other features, "
                + "or none."
        case .outOfRange(let name, let value, let allowed):
            "\(name) of the features is \(value), but must be \(allowed)."
        }
    }
}

extension InMemoryDataset {
    /// The data set with features in the place of inputs. Throws ``FeatureMapError`` if they do not fit.
    ///
    /// - Complexity: memory for the features of all examples is held.
    public func mapped(by map: some FeatureMap) throws(FeatureMapError) -> InMemoryDataset {
        _ = try map.featureCount(for: featureCount)
        return InMemoryDataset(inputs: map.features(of: inputs), targets: targets, notCovered: notCovered)
    }
}
