/// A number that was checked against a range when it was set, and is checked again when it is decoded.
@propertyWrapper
public struct Hyperparameter<Bounds: HyperparameterBounds>: Hashable, Sendable {
    /// The number.
    public let wrappedValue: Double

    /// Throws `invalidHyperparameter`, which calls the number `name`, if it lies outside the range.
    public init(_ value: Double, _ name: String) throws(GradientTransformationError) {
        guard Bounds.contains(value) else {
            throw .invalidHyperparameter(name: name, value: value, allowed: Bounds.description)
        }
        wrappedValue = value
    }
}

extension Hyperparameter: Codable {
    /// Reads the number; throws if it lies outside the range.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer().decode(Double.self)
        do throws(GradientTransformationError) {
            try self.init(value, decoder.codingPath.last?.stringValue ?? "The hyperparameter")
        } catch {
            throw error.decodingError(at: decoder.codingPath)
        }
    }

    /// Writes the number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

/// The range of a hyperparameter.
public protocol HyperparameterBounds: Sendable {
    /// Whether `value` lies in the range; never for NaN.
    static func contains(_ value: Double) -> Bool

    /// The range in words, as in "at least 0 and finite".
    static var description: String { get }
}

/// Any number except NaN and infinity.
public enum Finite: HyperparameterBounds {
    /// Whether `value` lies in the range.
    public static func contains(_ value: Double) -> Bool { value.isFinite }

    /// The range in words.
    public static let description = "finite"
}

/// Numbers from 0 on: learning rates, weight decay.
public enum NonNegative: HyperparameterBounds {
    /// Whether `value` lies in the range.
    public static func contains(_ value: Double) -> Bool { value >= 0 && value < .infinity }

    /// The range in words.
    public static let description = "at least 0 and finite"
}

/// Numbers above 0: what is divided by, bounds.
public enum Positive: HyperparameterBounds {
    /// Whether `value` lies in the range.
    public static func contains(_ value: Double) -> Bool { value > 0 && value < .infinity }

    /// The range in words.
    public static let description = "above 0 and finite"
}

/// Numbers in [0, 1): how much of an average stays from step to step.
public enum Decay: HyperparameterBounds {
    /// Whether `value` lies in the range.
    public static func contains(_ value: Double) -> Bool { value >= 0 && value < 1 }

    /// The range in words.
    public static let description = "at least 0 and below 1"
}

extension GradientTransformationError {
    package func decodingError(at codingPath: [any CodingKey]) -> DecodingError {
        .dataCorrupted(
            DecodingError.Context(codingPath: codingPath, debugDescription: description, underlyingError: self))
    }
}
