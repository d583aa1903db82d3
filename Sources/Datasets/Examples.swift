import LinearAlgebra
import Requirements

/// Some examples of a data set: a row of inputs for each, and what it should be mapped to.
public struct Examples: Sendable {
    /// examples × features.
    public let inputs: Matrix
    /// One target for each row of inputs.
    public let targets: Targets
    /// How many positions of each example's sequence there are, from the first on; the others are padding. Nil where
    /// all are there.
    public let lengths: [Int]?
    /// What random operations and augmentations draw from in this step, together with each example itself.
    ///
    /// A trainer sets it. Where you step a run by yourself, give each step another number, or dropout drops the same in
    /// all of them.
    public var drawKey: UInt64 = 0

    /// Traps if there are not as many targets, or lengths, as rows, or if a length is negative.
    public init(inputs: Matrix, targets: Targets, lengths: [Int]? = nil) {
        require(
            targets.count == inputs.rows, "\(targets.count) targets do not fit \(inputs.rows) rows of inputs.")
        if let lengths {
            require(
                lengths.count == inputs.rows, "\(lengths.count) lengths do not fit \(inputs.rows) rows of inputs.")
            require(lengths.allSatisfy { $0 >= 0 }, "A sequence has a length of \(lengths.min() ?? 0).")
        }
        self.inputs = inputs
        self.targets = targets
        self.lengths = lengths
    }

    /// The number of examples.
    public var count: Int { inputs.rows }
}

/// What examples should be mapped to.
public enum Targets: Sendable, Equatable {
    /// A class for each example, in 0..<`classCount`.
    case classes([Int], classCount: Int)
    /// A row of numbers for each example.
    case values(Matrix)

    /// The number of examples.
    public var count: Int {
        switch self {
        case .classes(let classes, _): classes.count
        case .values(let values): values.rows
        }
    }

    /// The number of classes; nil where targets are numbers.
    public var classCount: Int? {
        if case .classes(_, let classCount) = self { classCount } else { nil }
    }

    /// The number of outputs that a model of such targets has: a score for each class, or a number for each column.
    public var outputCount: Int {
        switch self {
        case .classes(_, let classCount): classCount
        case .values(let values): values.columns
        }
    }
}

/// What one example should be mapped to.
public enum Target: Sendable, Equatable {
    /// A class's number.
    case `class`(Int)
    /// A number for each output.
    case values([Float])
}

extension Targets {
    /// The target of one example. Traps outside 0..<`count`.
    public subscript(example: Int) -> Target {
        switch self {
        case .classes(let classes, _): .class(classes[example])
        case .values(let values): .values(values.withRow(example) { row in row.indices.map { row[$0] } })
        }
    }
}

extension Targets {
    /// More classes mean that something is wrong.
    static let classLimit = 1_000_000

    /// Throws ``DatasetError/invalidClassCount(_:)`` unless there can be so many classes.
    static func check(classCount: Int) throws(DatasetError) {
        guard (2...classLimit).contains(classCount) else { throw .invalidClassCount(classCount) }
    }
}
