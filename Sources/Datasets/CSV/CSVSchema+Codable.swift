import Foundation
import Requirements

extension CSVSchema {
    /// Reads a schema from the JSON file at `path`. Throws ``DatasetError`` if there is none, or it contradicts itself.
    public init(contentsOf path: String) throws(DatasetError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.read(path, limit: 1 << 24)
        } catch {
            throw .file(error)
        }
        do {
            self = try JSONDecoder().decode(CSVSchema.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw .invalidSchema(column: nil, problem: "in '\(path)' cannot be read: \(error.explanation)")
        } catch {
            throw .invalidSchema(column: nil, problem: "in '\(path)' cannot be read: \(error).")
        }
        try validate()
    }

    /// Not private: the encoding is synthesized in the type's own file, and a debug build would not find them there.
    enum CodingKeys: String, CodingKey, CaseIterable {
        case columns, hasHeader, separator, commentPrefix, missingMarkers
    }

    /// Reads a schema; what has a default may be left out, and keys that mean nothing are refused.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            columns: try container.decode([Column].self, forKey: .columns),
            hasHeader: try container.decodeIfPresent(Bool.self, forKey: .hasHeader) ?? true,
            separator: try container.decodeIfPresent(String.self, forKey: .separator) ?? ",",
            commentPrefix: try container.decodeIfPresent(String.self, forKey: .commentPrefix),
            missingMarkers: try container.decodeIfPresent([String].self, forKey: .missingMarkers) ?? [""])
    }
}

extension CSVSchema.Column: Codable {
    private enum Keys: String, CodingKey {
        case name, kind, lower, upper, isLogarithmic, fill, hasIndicator, edges, categories, unlisted, classes
        case ignoresFullStop

        static func allowed(for kind: KindName) -> [Keys] {
            let own: [Keys] =
                switch kind {
                case .numeric: [.lower, .upper, .isLogarithmic, .fill, .hasIndicator]
                case .buckets: [.edges, .unlisted]
                case .categorical: [.categories, .unlisted]
                case .label: [.classes, .ignoresFullStop]
                case .target: [.lower, .upper]
                case .ignored: []
                }
            return [.name, .kind] + own
        }
    }

    private enum KindName: String, Codable, CaseIterable {
        case numeric, buckets, categorical, label, target, ignored
    }

    /// Reads a column such as `{"name": "age", "kind": "numeric", "lower": 17, "upper": 90}`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        name = try container.decode(String.self, forKey: .name)
        let kind = try container.decodeChoice(KindName.self, forKey: .kind)
        // A bound with a misspelt name would otherwise count as open.
        try decoder.refuseUnknownKeys(except: Keys.allowed(for: kind).map(\.stringValue))
        let unlisted = try container.decodeIfPresent(CSVSchema.Unlisted.self, forKey: .unlisted) ?? .refused
        switch kind {
        case .numeric:
            self.kind = .numeric(
                CSVSchema.Numeric(
                    lower: try container.decodeIfPresent(Double.self, forKey: .lower),
                    upper: try container.decodeIfPresent(Double.self, forKey: .upper),
                    isLogarithmic: try container.decodeIfPresent(Bool.self, forKey: .isLogarithmic) ?? false,
                    fill: try container.decodeIfPresent(Double.self, forKey: .fill),
                    hasIndicator: try container.decodeIfPresent(Bool.self, forKey: .hasIndicator) ?? false))
        case .buckets:
            self.kind = .buckets(edges: try container.decode([Double].self, forKey: .edges), unlisted: unlisted)
        case .categorical:
            self.kind = .categorical(
                try container.decodeIfPresent([String].self, forKey: .categories), unlisted: unlisted)
        case .label:
            self.kind = .label(
                classes: try container.decode([String].self, forKey: .classes),
                ignoresFullStop: try container.decodeIfPresent(Bool.self, forKey: .ignoresFullStop) ?? false)
        case .target:
            self.kind = .target(
                lower: try container.decodeIfPresent(Double.self, forKey: .lower),
                upper: try container.decodeIfPresent(Double.self, forKey: .upper))
        case .ignored:
            self.kind = .ignored
        }
    }

    /// Writes what the column's kind has, open bounds and categories left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(name, forKey: .name)
        switch kind {
        case .numeric(let numeric):
            try container.encode(KindName.numeric, forKey: .kind)
            try container.encodeIfPresent(numeric.lower, forKey: .lower)
            try container.encodeIfPresent(numeric.upper, forKey: .upper)
            try container.encode(numeric.isLogarithmic, forKey: .isLogarithmic)
            try container.encodeIfPresent(numeric.fill, forKey: .fill)
            try container.encode(numeric.hasIndicator, forKey: .hasIndicator)
        case .buckets(let edges, let unlisted):
            try container.encode(KindName.buckets, forKey: .kind)
            try container.encode(edges, forKey: .edges)
            try container.encode(unlisted, forKey: .unlisted)
        case .categorical(let categories, let unlisted):
            try container.encode(KindName.categorical, forKey: .kind)
            try container.encodeIfPresent(categories, forKey: .categories)
            try container.encode(unlisted, forKey: .unlisted)
        case .label(let classes, let ignoresFullStop):
            try container.encode(KindName.label, forKey: .kind)
            try container.encode(classes, forKey: .classes)
            try container.encode(ignoresFullStop, forKey: .ignoresFullStop)
        case .target(let lower, let upper):
            try container.encode(KindName.target, forKey: .kind)
            try container.encodeIfPresent(lower, forKey: .lower)
            try container.encodeIfPresent(upper, forKey: .upper)
        case .ignored:
            try container.encode(KindName.ignored, forKey: .kind)
        }
    }
}

extension DecodingError {
    /// Where in the JSON text what is wrong.
    fileprivate var explanation: String {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
            return (place.isEmpty ? "" : "at \(place), ") + context.debugDescription
        @unknown default:
            return String(describing: self)
        }
    }
}
