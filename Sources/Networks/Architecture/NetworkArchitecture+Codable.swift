import Differentiation
import Requirements

extension NetworkArchitecture: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case input, layers, loss
    }

    /// Reads an input, layers and a loss. Throws `DecodingError` for unknown keys.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            input: try box.decode(Input.self, forKey: .input), layers: try box.decode([Layer].self, forKey: .layers),
            loss: try box.decodeChoice(LossFunction.self, forKey: .loss))
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(input, forKey: .input)
        try box.encode(layers, forKey: .layers)
        try box.encode(loss, forKey: .loss)
    }
}

extension NetworkArchitecture.Input: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case features, height, width, channels, positions, length, vocabulary
    }

    /// Reads `{"features": 64}`, `{"height": 28, "width": 28, "channels": 1}`, `{"positions": 20, "width": 8}` or
    /// `{"length": 64, "vocabulary": 256}`.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        if let features = try box.decodeIfPresent(Int.self, forKey: .features) {
            self = .features(features)
        } else if let positions = try box.decodeIfPresent(Int.self, forKey: .positions) {
            self = .sequence(positions: positions, width: try box.decode(Int.self, forKey: .width))
        } else if let length = try box.decodeIfPresent(Int.self, forKey: .length) {
            self = .tokens(length: length, vocabulary: try box.decode(Int.self, forKey: .vocabulary))
        } else {
            self = .image(
                height: try box.decode(Int.self, forKey: .height), width: try box.decode(Int.self, forKey: .width),
                channels: try box.decode(Int.self, forKey: .channels))
        }
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .features(let features): try box.encode(features, forKey: .features)
        case .image(let height, let width, let channels):
            try box.encode(height, forKey: .height)
            try box.encode(width, forKey: .width)
            try box.encode(channels, forKey: .channels)
        case .sequence(let positions, let width):
            try box.encode(positions, forKey: .positions)
            try box.encode(width, forKey: .width)
        case .tokens(let length, let vocabulary):
            try box.encode(length, forKey: .length)
            try box.encode(vocabulary, forKey: .vocabulary)
        }
    }
}

extension NetworkArchitecture.Layer: Codable {
    private enum CodingKeys: CodingKey {
        case kind
    }

    /// Reads a layer such as `{"kind": "dense", "outputs": 10, "activation": "identity"}`.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let name = try box.decode(String.self, forKey: .kind)
        guard let kind = Self.kinds.first(where: { $0.kind == name }) else {
            let names = Self.kinds.map { $0.kind }
            let problem = CoupledLayer(rawValue: name)?.remedy ?? unknown("layer", name, known: names)
            throw DecodingError.dataCorruptedError(forKey: .kind, in: box, debugDescription: problem)
        }
        try decoder.refuseUnknownKeys(except: ["kind"] + kind.example.keys)
        self.init(try kind.init(from: decoder))
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        try blueprint.encode(to: encoder)
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(type(of: blueprint).kind, forKey: .kind)
    }
}
