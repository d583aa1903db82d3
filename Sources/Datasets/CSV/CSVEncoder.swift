import Foundation
import Requirements

/// Turns records into rows of features and a label or target, by a schema with nothing open.
struct CSVEncoder {
    /// What a record says that a model is to learn to say.
    struct Answer {
        /// The class; 0 if the schema has no label.
        var label = 0
        /// The number to predict, in [0, 1]; 0 if the schema has no target.
        var target: Float = 0
    }

    private enum Action {
        case ignored
        case numeric(NumberScaling, fill: Double?, indicator: Int?)
        case buckets(edges: [Double], unlisted: CSVSchema.Unlisted)
        case categorical(CategoryTable, unlisted: CSVSchema.Unlisted)
        case label(CategoryTable, ignoresFullStop: Bool)
        case target(NumberScaling)
    }

    private struct Column {
        let action: Action
        let name: String
        /// Where the column's features begin.
        let slot: Int
    }

    /// The number of features of an example.
    let featureCount: Int
    private let columns: [Column]
    private let missingMarkers: MissingMarkers
    private let classes: [String]

    /// An encoder. Traps if the schema leaves something open.
    init(_ schema: CSVSchema) {
        var slot = 0
        columns = schema.columns.map { column in
            defer { slot += column.kind.featureCount ?? 0 }
            return Column(action: Self.action(for: column, slot: slot), name: column.name, slot: slot)
        }
        featureCount = slot
        missingMarkers = MissingMarkers(schema)
        classes = schema.classes
    }

    private static func action(for column: CSVSchema.Column, slot: Int) -> Action {
        switch column.kind {
        case .ignored: .ignored
        case .numeric(let numeric):
            .numeric(NumberScaling(numeric), fill: numeric.fill, indicator: numeric.hasIndicator ? slot + 1 : nil)
        case .buckets(let edges, let unlisted): .buckets(edges: edges, unlisted: unlisted)
        case .categorical(let categories?, let unlisted):
            .categorical(CategoryTable(categories), unlisted: unlisted)
        case .categorical(nil, _): fail("The categories of column '\(column.name)' are open.")
        case .label(let classes, let ignoresFullStop):
            .label(CategoryTable(classes), ignoresFullStop: ignoresFullStop)
        case .target(let lower, let upper): .target(NumberScaling(CSVSchema.Numeric(lower: lower, upper: upper)))
        }
    }

    /// Writes the features of the scanner's record, zeros to begin with, and returns its class or target.
    ///
    /// **Guarantee:** both depend on nothing but the record and the schema.
    func encode(
        _ scanner: CSVScanner, columns places: [Int], into features: UnsafeMutableBufferPointer<Float>
    ) throws(DatasetError) -> Answer {
        var answer = Answer()
        for (field, place) in zip(scanner.fields, places) {
            let problem: Problem? = try scanner.withBytes(of: field) { (text) throws(DatasetError) in
                encode(text, columns[place], into: features, answer: &answer)
            }
            if let problem { throw error(problem, columns[place], field, scanner) }
        }
        return answer
    }

    private enum Problem {
        case notANumber, missing, noTarget, unlisted, unknownLabel
    }

    /// Encodes one field, and says what is wrong with it, if anything is.
    private func encode(
        _ text: UnsafeBufferPointer<UInt8>, _ column: Column, into features: UnsafeMutableBufferPointer<Float>,
        answer: inout Answer
    ) -> Problem? {
        switch column.action {
        case .ignored:
            return nil
        case .numeric(let scaling, let fill, let indicator):
            var number: Double
            if missingMarkers.contains(text) {
                guard let fill else { return .missing }
                number = fill
                if let indicator { features[indicator] = 1 }
            } else {
                guard let parsed = DecimalNumber.parse(text) else { return .notANumber }
                number = parsed
            }
            features[column.slot] = scaling.scale(number)
            return nil
        case .buckets(let edges, let unlisted):
            if missingMarkers.contains(text) {
                return markUnlisted(unlisted, slot: column.slot + edges.count + 1, features, otherwise: .missing)
            }
            guard let number = DecimalNumber.parse(text) else { return .notANumber }
            features[column.slot + edges.count { $0 <= number }] = 1
            return nil
        case .categorical(let table, let unlisted):
            if let place = table.index(of: text) {
                features[column.slot + place] = 1
                return nil
            }
            let problem: Problem = missingMarkers.contains(text) ? .missing : .unlisted
            return markUnlisted(unlisted, slot: column.slot + table.count, features, otherwise: problem)
        case .label(let table, let ignoresFullStop):
            let ends = ignoresFullStop && text.last == UInt8(ascii: ".")
            guard let place = table.index(of: UnsafeBufferPointer(rebasing: text.dropLast(ends ? 1 : 0))) else {
                return .unknownLabel
            }
            answer.label = place
            return nil
        case .target(let scaling):
            guard !missingMarkers.contains(text), let number = DecimalNumber.parse(text) else { return .noTarget }
            answer.target = scaling.scale(number)
            return nil
        }
    }

    private func markUnlisted(
        _ unlisted: CSVSchema.Unlisted, slot: Int, _ features: UnsafeMutableBufferPointer<Float>,
        otherwise problem: Problem
    ) -> Problem? {
        switch unlisted {
        case .refused: return problem
        case .zeros: return nil
        case .ownSlot:
            features[slot] = 1
            return nil
        }
    }

    private func error(
        _ problem: Problem, _ column: Column, _ field: CSVScanner.Field, _ scanner: CSVScanner
    ) -> DatasetError {
        let (path, line) = (scanner.path, scanner.place(of: field.begin).line)
        let text = scanner.text(of: field).shortened
        return switch problem {
        case .notANumber: .notANumber(path: path, line: line, column: column.name, text: text)
        case .missing: .missingValue(path: path, line: line, column: column.name)
        case .noTarget: .targetNotANumber(path: path, line: line, column: column.name, text: text)
        case .unlisted: .unknownCategory(path: path, line: line, column: column.name, text: text)
        case .unknownLabel:
            .unknownLabel(path: path, line: line, column: column.name, text: text, classes: classes)
        }
    }
}

extension String {
    /// The first 40 scalars: a single `Character` can be as long as a file.
    var shortened: String { String(String.UnicodeScalarView(unicodeScalars.prefix(40))) }
}

/// The formula of ``CSVSchema/Numeric``.
struct NumberScaling {
    private let lower: Double
    private let upper: Double
    private let isLogarithmic: Bool
    private let origin: Double
    private let length: Double

    /// A scaling. Traps if a bound is open.
    init(_ numeric: CSVSchema.Numeric) {
        guard let lower = numeric.lower, let upper = numeric.upper else {
            fail("A number cannot be scaled while its bounds are open.")
        }
        self.lower = lower
        self.upper = upper
        isLogarithmic = numeric.isLogarithmic
        origin = isLogarithmic ? log1p(lower) : lower
        length = (isLogarithmic ? log1p(upper) : upper) - origin
    }

    /// The number's place between the bounds, in [0, 1].
    func scale(_ number: Double) -> Float {
        let clamped = min(max(number, lower), upper)
        let place = ((isLogarithmic ? log1p(clamped) : clamped) - origin) / length
        // The logarithm's rounding must not lead outside.
        return Float(min(max(place, 0), 1))
    }
}

/// The texts that stand for a missing value.
struct MissingMarkers {
    private let markers: [[UInt8]]

    init(_ schema: CSVSchema) { markers = schema.missingMarkers.map { Array($0.utf8) } }

    func contains(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        for marker in markers where marker.count == text.count && marker.elementsEqual(text) { return true }
        return false
    }
}
