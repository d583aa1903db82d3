import Foundation
import PyTrees
import _TestSupport

extension ReferenceValues {
    static func load(_ name: String) throws -> JSONValue { try load(name, as: JSONValue.self) }
}

/// A JSON value whose shape is only known when it is looked at.
enum JSONValue: Decodable, Sendable {
    case number(Double)
    case bool(Bool)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    subscript(key: String) -> JSONValue {
        guard case .object(let object) = self, let value = object[key] else {
            fatalError("The reference values have no key '\(key)'.")
        }
        return value
    }

    var array: [JSONValue] {
        guard case .array(let values) = self else { fatalError("\(self) is not an array.") }
        return values
    }

    var bool: Bool {
        guard case .bool(let value) = self else { fatalError("\(self) is not a Boolean.") }
        return value
    }

    var string: String {
        guard case .string(let value) = self else { fatalError("\(self) is not a string.") }
        return value
    }

    /// A number, or the name of one that JSON lacks.
    var double: Double {
        switch self {
        case .number(let value): return value
        case .string(let text):
            guard let value = Double(text) else { fatalError("'\(text)' is not a number.") }
            return value
        default: fatalError("\(self) is not a number.")
        }
    }

    /// All numbers, in order; those of an object in the order of its keys.
    var flat: [Double] {
        switch self {
        case .array(let values): return values.flatMap(\.flat)
        case .object(let object): return object.keys.sorted().flatMap { object[$0]!.flat }
        default: return [double]
        }
    }

    /// Numbers at the leaves of nested objects.
    var prefixTree: PrefixTree<Double> {
        guard case .object(let object) = self else { return .value(double) }
        return .children(object.mapValues(\.prefixTree))
    }
}

extension TreeLayout {
    /// The layout of the trees in the reference values: a matrix, a vector and a scalar.
    static let reference = try! TreeLayout([
        ("dense/bias", [4]), ("dense/kernel", [3, 4]), ("temperature", []),
    ])
}
