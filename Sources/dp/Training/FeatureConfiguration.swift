import PrivateTraining
import Requirements

/// A feature map by its kind.
///
///     {"kind": "scattering", "height": 28, "width": 28}
enum FeatureConfiguration: Codable, Hashable, Sendable {
    case scattering(ScatteringFeatures)

    private enum CodingKeys: CodingKey {
        case kind
    }

    private static let scatteringKeys = ["kind", "height", "width"]

    private enum Kind: String, Codable, CaseIterable {
        case scattering
    }

    init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        switch try box.decodeChoice(Kind.self, forKey: .kind) {
        case .scattering:
            try decoder.refuseUnknownKeys(except: Self.scatteringKeys)
            self = .scattering(try ScatteringFeatures(from: decoder))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .scattering(let map):
            try map.encode(to: encoder)
            try box.encode(Kind.scattering, forKey: .kind)
        }
    }

    /// The data with features in the place of inputs; throws `FeatureMapError` if they do not fit.
    func map(_ data: any Dataset) throws(FeatureMapError) -> any Dataset {
        switch self {
        case .scattering(let map):
            guard data.featureCount == map.inputCount else {
                throw .inputMismatch(expected: map.inputCount, found: data.featureCount)
            }
            // What lies in memory is mapped once, and not each time that it is read.
            if let data = data as? InMemoryDataset { return data.mapped(by: map) }
            return MappedDataset(data, map: map)
        }
    }
}
