/// A function that a layer applies to each of its outputs.
public enum Activation: Hashable, Sendable {
    /// x.
    case identity
    /// max(x, 0), with derivative 0 at 0.
    case relu
    /// The hyperbolic tangent.
    case tanh
    /// The Gaussian error linear unit in its tanh form: x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2. Source: Hendrycks and
    /// Gimpel, arXiv 1606.08415.
    case gelu
    /// scale·σ(temperature·x) − offset with σ(t) = 1/(1 + e⁻ᵗ); (2, 2, 1) is the hyperbolic tangent. Bounded
    /// activations keep gradients small, which clipping then changes less. Source: Papernot et al., arXiv 2007.14191.
    ///
    /// Scale and temperature are positive. The derivative is computed from the output, with an absolute error of some
    /// temperature·(scale + |offset|)·2⁻²³.
    case temperedSigmoid(scale: Float, temperature: Float, offset: Float)

    /// Throws `invalidSigmoid` if the constants do not make an increasing function.
    package func validate() throws(ActivationError) {
        guard case .temperedSigmoid(let scale, let temperature, let offset) = self else { return }
        guard scale > 0, temperature > 0, scale.isFinite, temperature.isFinite, offset.isFinite else {
            throw .invalidSigmoid(scale: scale, temperature: temperature, offset: offset)
        }
    }
}

extension Activation: CustomStringConvertible {
    /// Reads what ``description`` writes. Throws `unknownActivation` and `invalidSigmoid`.
    public init(_ text: some StringProtocol) throws(ActivationError) {
        switch text {
        case "identity": self = .identity
        case "relu": self = .relu
        case "tanh": self = .tanh
        case "gelu": self = .gelu
        default:
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            let constants = parts.count == 2 ? parts[1].split(separator: ",").map { Float($0) } : []
            guard parts[0] == "sigmoid", constants.count == 3,
                let scale = constants[0], let temperature = constants[1], let offset = constants[2]
            else { throw .unknownActivation(String(text)) }
            self = .temperedSigmoid(scale: scale, temperature: temperature, offset: offset)
            try validate()
        }
    }

    /// `identity`, `relu`, `tanh`, `gelu`, or `sigmoid=SCALE,TEMPERATURE,OFFSET`.
    public var description: String {
        switch self {
        case .identity: "identity"
        case .relu: "relu"
        case .tanh: "tanh"
        case .gelu: "gelu"
        case .temperedSigmoid(let scale, let temperature, let offset): "sigmoid=\(scale),\(temperature),\(offset)"
        }
    }
}

extension Activation: Codable {
    /// Reads the textual form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(ActivationError) {
            try self.init(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    /// Writes the textual form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// What can be wrong with an activation that somebody names.
public enum ActivationError: Error, Hashable, CustomStringConvertible {
    /// There is no such activation.
    case unknownActivation(String)
    /// A tempered sigmoid's scale or temperature is not positive, or one of its constants is not finite.
    case invalidSigmoid(scale: Float, temperature: Float, offset: Float)

    /// What is wrong, and what is possible.
    public var description: String {
        switch self {
        case .unknownActivation(let name):
            "There is no activation '\(name)': choose identity, relu, tanh, gelu, or sigmoid=SCALE,TEMPERATURE,OFFSET."
        case .invalidSigmoid(let scale, let temperature, let offset):
            "A tempered sigmoid of scale \(scale), temperature \(temperature) and offset \(offset) does not exist: "
                + "scale and temperature must be positive, and all three finite."
        }
    }
}
