/// What the columns of a CSV file mean, and which public constants encode them.
///
/// A schema is written down before anybody looks at the data: then the encoding of an example depends on nobody else's,
/// and costs no privacy. What a schema leaves open (bounds, categories) can be taken from the data, but only where a
/// reader is told so by name, and outside the privacy guarantee.
public struct CSVSchema: Codable, Equatable, Sendable {
    /// One column of the file.
    public struct Column: Equatable, Sendable {
        /// The column's name: in the header if there is one, and in errors.
        public var name: String
        /// What becomes of it.
        public var kind: Kind

        /// A column.
        public init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// What becomes of a column.
    public enum Kind: Equatable, Sendable {
        /// A number in one feature, scaled and clamped to [0, 1].
        case numeric(Numeric)
        /// A number in as many features as there are buckets, of which one is 1: that of number k if k edges are less
        /// than or equal to it. Missing values are treated as unlisted ones.
        case buckets(edges: [Double], unlisted: Unlisted = .refused)
        /// A text in one feature for each category, of which one is 1. Categories are open if nil. Missing values are
        /// treated as unlisted ones.
        case categorical([String]?, unlisted: Unlisted = .refused)
        /// The label: the class is the text's place in the list. With `ignoresFullStop`, one full stop after the text
        /// is dropped first.
        case label(classes: [String], ignoresFullStop: Bool = false)
        /// The number to predict: x ↦ (min(max(x, lower), upper) − lower) / (upper − lower), in [0, 1]. The bounds are
        /// open if nil. ``CSVSchema/target`` leads back to the file's units.
        case target(lower: Double? = nil, upper: Double? = nil)
        /// Nothing.
        case ignored
    }

    /// How a number is scaled: x ↦ (f(min(max(x, lower), upper)) − f(lower)) / (f(upper) − f(lower)), where f is the
    /// identity or log1p.
    public struct Numeric: Equatable, Sendable {
        /// What becomes 0, and everything below it; open if nil.
        public var lower: Double?
        /// What becomes 1, and everything above it; open if nil.
        public var upper: Double?
        /// Whether f is log1p, x ↦ ln(1 + x).
        public var isLogarithmic: Bool
        /// What stands for a missing value, in the column's own units; if nil, none may be missing.
        public var fill: Double?
        /// Whether a second feature is 1 where the value is missing, and 0 elsewhere.
        public var hasIndicator: Bool

        /// A scaling.
        public init(
            lower: Double? = nil, upper: Double? = nil, isLogarithmic: Bool = false, fill: Double? = nil,
            hasIndicator: Bool = false
        ) {
            self.lower = lower
            self.upper = upper
            self.isLogarithmic = isLogarithmic
            self.fill = fill
            self.hasIndicator = hasIndicator
        }
    }

    /// What becomes of a value that is missing, or not in the list of categories.
    public enum Unlisted: String, Codable, Sendable {
        /// It has a feature of its own, after those of the list.
        case ownSlot
        /// All of the column's features are 0.
        case zeros
        /// It is an error.
        case refused
    }

    /// The columns. Without a header they are in the file's order; the features are in this order either way.
    public var columns: [Column]
    /// Whether the file's first record names its columns.
    public var hasHeader: Bool
    /// What stands between two fields: one ASCII character.
    public var separator: String
    /// Lines that begin with this are skipped, if it is not nil.
    public var commentPrefix: String?
    /// The texts that stand for a missing value; an empty field is one only if `""` is among them.
    public var missingMarkers: [String]

    /// A schema. Throws nothing: a reader checks it, as ``validate()`` does.
    public init(
        columns: [Column], hasHeader: Bool = true, separator: String = ",", commentPrefix: String? = nil,
        missingMarkers: [String] = [""]
    ) {
        self.columns = columns
        self.hasHeader = hasHeader
        self.separator = separator
        self.commentPrefix = commentPrefix
        self.missingMarkers = missingMarkers
    }
}

extension CSVSchema {
    /// The number of features of an example; nil while categories are open.
    public var featureCount: Int? {
        columns.reduce(0) { sum, column in
            guard let sum, let width = column.kind.featureCount else { return nil }
            return sum + width
        }
    }

    /// The schema for files without labels: the column of the label or target may hold anything, or is not there at
    /// all.
    public func withoutLabel(hasColumn: Bool) -> CSVSchema {
        var schema = self
        schema.columns = columns.compactMap { column in
            guard column.kind.isAnswer else { return column }
            return hasColumn ? Column(column.name, .ignored) : nil
        }
        return schema
    }

    /// The columns whose bounds or categories are open.
    public var openColumns: [String] { columns.filter(\.kind.isOpen).map(\.name) }

    /// The scale of the numbers to predict; nil if the schema has no column for them, or leaves its bounds open.
    public var target: TargetScale? {
        for column in columns {
            if case .target(let lower?, let upper?) = column.kind {
                return TargetScale(column: column.name, lower: lower, upper: upper)
            }
        }
        return nil
    }

    /// The classes of the label; empty if the schema has none.
    public var classes: [String] {
        for case .label(let classes, _) in columns.map(\.kind) { return classes }
        return []
    }
}

extension CSVSchema.Kind {
    /// The number of features that the column becomes; nil while its categories are open.
    var featureCount: Int? {
        switch self {
        case .numeric(let numeric): numeric.hasIndicator ? 2 : 1
        case .buckets(let edges, let unlisted): edges.count + 1 + (unlisted == .ownSlot ? 1 : 0)
        case .categorical(let categories, let unlisted): categories.map { $0.count + (unlisted == .ownSlot ? 1 : 0) }
        case .label, .target, .ignored: 0
        }
    }

    var isOpen: Bool {
        switch self {
        case .numeric(let numeric): numeric.lower == nil || numeric.upper == nil
        case .target(let lower, let upper): lower == nil || upper == nil
        case .categorical(let categories, _): categories == nil
        case .buckets, .label, .ignored: false
        }
    }

    /// Whether the column is what a model learns to say.
    var isAnswer: Bool {
        switch self {
        case .label, .target: true
        case .numeric, .buckets, .categorical, .ignored: false
        }
    }
}
