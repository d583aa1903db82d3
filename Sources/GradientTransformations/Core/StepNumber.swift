#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A whole number, such as one of steps, that was checked against a bound when it was set, and is checked again when it
/// is decoded.
@propertyWrapper
public struct StepNumber<Bounds: StepNumberBounds>: Hashable, Sendable {
    /// The number.
    public let wrappedValue: Int

    /// Throws `invalidHyperparameter`, which calls the number `name`, if it is too small.
    public init(_ value: Int, _ name: String) throws(GradientTransformationError) {
        guard value >= Bounds.minimum else {
            throw .invalidHyperparameter(name: name, value: Double(value), allowed: "at least \(Bounds.minimum)")
        }
        wrappedValue = value
    }
}

extension StepNumber: Codable {
    /// Reads the number; throws if it is too small.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer().decode(Int.self)
        do throws(GradientTransformationError) {
            try self.init(value, decoder.codingPath.last?.stringValue ?? "The number")
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

/// The least allowed number.
public protocol StepNumberBounds: Sendable {
    /// The bound.
    static var minimum: Int { get }
}

/// Numbers from 0 on.
public enum AtLeastZero: StepNumberBounds {
    /// Zero.
    public static let minimum = 0
}

/// Numbers from 1 on.
public enum AtLeastOne: StepNumberBounds {
    /// One.
    public static let minimum = 1
}

// So that no other file of this module needs the C library.

func pow(_ base: Double, _ exponent: Double) -> Double {
    #if canImport(Darwin)
        Darwin.pow(base, exponent)
    #else
        Glibc.pow(base, exponent)
    #endif
}

func cos(_ angle: Double) -> Double {
    #if canImport(Darwin)
        Darwin.cos(angle)
    #else
        Glibc.cos(angle)
    #endif
}
