import PrivacyMechanisms
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

    /// What people call it.
    var title: String {
        switch self {
        case .scattering: "scattering features"
        case .fullScattering: "full scattering features"
        }
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

    /// The data with features in the place of inputs. Throws `FeatureMapError` if they do not fit.
    ///
    /// - Parameter ranks: who has the same examples, and maps a share of them. Throws ``RankError`` on all of them if
    ///   one has others, or if they do not fit.
    func map(_ data: any Dataset, over ranks: Ranks? = nil) throws -> any Dataset {
        switch self {
        case .scattering(let map): try Self.map(data, by: map, over: ranks)
        case .fullScattering(let map): try Self.map(data, by: map, over: ranks)
        }
    }

    private static func map(_ data: any Dataset, by map: some FeatureMap, over ranks: Ranks?) throws -> any Dataset {
        try ranks.together {
            guard data.featureCount == map.inputCount else {
                throw FeatureMapError.inputMismatch(expected: map.inputCount, found: data.featureCount)
            }
        }
        // What lies in memory is mapped once, and not each time that it is read.
        guard let data = data as? InMemoryDataset else { return MappedDataset(data, map: map) }
        return try ranks.map { try data.mapped(by: map, over: $0) } ?? data.mapped(by: map)
    }
}
