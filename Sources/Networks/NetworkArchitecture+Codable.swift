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
        case features, height, width, channels
    }

    /// Reads `{"features": 64}` or `{"height": 28, "width": 28, "channels": 1}`.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        if let features = try box.decodeIfPresent(Int.self, forKey: .features) {
            self = .features(features)
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
        }
    }
}

extension NetworkArchitecture.Layer: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, outputs, activation, size, stride, padding, pooling
    }

    private enum Kind: String, Codable, CaseIterable {
        case dense, convolution, pooling

        var keys: [CodingKeys] {
            switch self {
            case .dense: [.kind, .outputs, .activation]
            case .convolution: [.kind, .outputs, .size, .stride, .padding, .activation]
            case .pooling: [.kind, .pooling, .size, .stride]
            }
        }
    }

    /// Reads a layer such as `{"kind": "dense", "outputs": 10, "activation": "identity"}`.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try box.decodeChoice(Kind.self, forKey: .kind)
        try decoder.refuseUnknownKeys(except: kind.keys.map(\.stringValue))
        func number(_ key: CodingKeys) throws -> Int { try box.decode(Int.self, forKey: key) }
        switch kind {
        case .dense:
            self = .dense(
                outputs: try number(.outputs), activation: try box.decode(Activation.self, forKey: .activation))
        case .convolution:
            self = .convolution(
                outputs: try number(.outputs), size: try number(.size), stride: try number(.stride),
                padding: try number(.padding), activation: try box.decode(Activation.self, forKey: .activation))
        case .pooling:
            self = .pooling(
                try box.decodeChoice(NetworkArchitecture.Pooling.self, forKey: .pooling), size: try number(.size),
                stride: try number(.stride))
        }
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .dense(let outputs, let activation):
            try box.encode(Kind.dense, forKey: .kind)
            try box.encode(outputs, forKey: .outputs)
            try box.encode(activation, forKey: .activation)
        case .convolution(let outputs, let size, let stride, let padding, let activation):
            try box.encode(Kind.convolution, forKey: .kind)
            try box.encode(outputs, forKey: .outputs)
            try box.encode(size, forKey: .size)
            try box.encode(stride, forKey: .stride)
            try box.encode(padding, forKey: .padding)
            try box.encode(activation, forKey: .activation)
        case .pooling(let pooling, let size, let stride):
            try box.encode(Kind.pooling, forKey: .kind)
            try box.encode(pooling, forKey: .pooling)
            try box.encode(size, forKey: .size)
            try box.encode(stride, forKey: .stride)
        }
    }
}
