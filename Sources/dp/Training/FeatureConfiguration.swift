import PrivateTraining

/// A feature map by its kind.
///
///     {"kind": "unit-norm"}
enum FeatureConfiguration: Codable, Hashable, Sendable {
    case unitNorm(UnitNorm)

    private enum CodingKeys: CodingKey {
        case kind
    }

    private enum Kind: String, Codable {
        case unitNorm = "unit-norm"
    }

    init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        switch try box.decode(Kind.self, forKey: .kind) {
        case .unitNorm: self = .unitNorm(UnitNorm())
        }
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .unitNorm: try box.encode(Kind.unitNorm, forKey: .kind)
        }
    }

    func map(_ data: InMemoryDataset) throws -> InMemoryDataset {
        switch self {
        case .unitNorm(let map): try data.mapped(by: map)
        }
    }
}
