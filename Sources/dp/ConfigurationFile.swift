import Foundation
import PrivateTraining

/// Reads a JSON file; "-" is standard input.
///
/// Throws `FileError` and `TrainingConfigurationError`, which name it, and what `Value` throws. A key that occurs twice
/// is an error.
func readConfiguration<Value: Decodable>(_ path: String, _: Value.Type = Value.self) throws -> Value {
    let data =
        path == "-" ? FileHandle.standardInput.readDataToEndOfFile() : Data(try FileContents.read(path, limit: 1 << 24))
    do {
        _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    } catch {
        // The decoder would only say that there is an error, and not where.
        let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? error.localizedDescription
        let number = reason.firstMatch(of: /Number (\S+) is not representable/)?.1
        throw TrainingConfigurationError.unreadable(
            path: path, reason: number.map { "The number \($0) is too large." } ?? "It is not JSON. \(reason)")
    }
    if let key = repeatedKey(in: data) {
        throw TrainingConfigurationError.unreadable(
            path: path, reason: "'\(key)' occurs twice in one object: leave one of the two out.")
    }
    do {
        return try JSONDecoder.exact.decode(Value.self, from: data)
    } catch let error as DecodingError {
        throw TrainingConfigurationError.unreadable(path: path, reason: error.sentence)
    }
}

extension DecodingError {
    /// What is wrong and where, without Swift's own words around it.
    var sentence: String {
        let (context, what): (Context, String) =
            switch self {
            case .keyNotFound(let key, let context): (context, "'\(key.stringValue)' is missing.")
            case .valueNotFound(_, let context): (context, "A value is null that must not be.")
            case .typeMismatch(let type, let context): (context, "A value is not \(Self.name(of: type)).")
            // With a place, the words are this program's own. Without one, what is JSON fails by its numbers only.
            case .dataCorrupted(let context) where context.codingPath.isEmpty:
                (context, "A number has a fraction where it must be whole, or is too large.")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (Context(codingPath: [], debugDescription: ""), "\(self)")
            }
        let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        return place.isEmpty ? what : "at '\(place)': \(what)"
    }

    /// What JSON calls values of the type.
    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is String.Type: "a text in quotes"
        case is [Any].Type: "a list in brackets"
        default: "an object in braces"
        }
    }
}
