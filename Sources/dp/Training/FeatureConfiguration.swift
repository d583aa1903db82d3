import PrivateTraining
import Requirements

/// A feature map by its kind.
///
///     {"kind": "scattering", "height": 28, "width": 28}
///     {"kind": "fullScattering", "height": 28, "width": 28, "groups": 27}
enum FeatureConfiguration: Codable, Hashable, Sendable {
    case scattering(ScatteringFeatures)
    case fullScattering(FullScatteringFeatures)

    private enum CodingKeys: CodingKey {
        case kind
    }

    private static let scatteringKeys = ["kind", "height", "width"]

    private enum Kind: String, Codable, CaseIterable {
        case scattering, fullScattering
    }

    init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        switch try box.decodeChoice(Kind.self, forKey: .kind) {
        case .scattering:
            try decoder.refuseUnknownKeys(except: Self.scatteringKeys)
            self = .scattering(try ScatteringFeatures(from: decoder))
        case .fullScattering:
            try decoder.refuseUnknownKeys(except: Self.scatteringKeys + ["groups"])
            self = .fullScattering(try FullScatteringFeatures(from: decoder))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .scattering(let map):
            try map.encode(to: encoder)
            try box.encode(Kind.scattering, forKey: .kind)
        case .fullScattering(let map):
            try map.encode(to: encoder)
            try box.encode(Kind.fullScattering, forKey: .kind)
        }
    }

    /// The data with features in the place of inputs; throws `FeatureMapError` if they do not fit.
    func map(_ data: any Dataset) throws(FeatureMapError) -> any Dataset {
        switch self {
        case .scattering(let map): try Self.map(data, by: map)
        case .fullScattering(let map): try Self.map(data, by: map)
        }
    }

    private static func map(_ data: any Dataset, by map: some FeatureMap) throws(FeatureMapError) -> any Dataset {
        guard data.featureCount == map.inputCount else {
            throw .inputMismatch(expected: map.inputCount, found: data.featureCount)
        }
        // What lies in memory is mapped once, and not each time that it is read.
        if let data = data as? InMemoryDataset { return data.mapped(by: map) }
        return MappedDataset(data, map: map)
    }
}
