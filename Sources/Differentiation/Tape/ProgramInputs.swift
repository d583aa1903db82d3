import LinearAlgebra
import Requirements

/// The examples that a program runs on.
public struct ProgramInputs<Scalar: Real> {
    /// examples × features.
    let features: NumberBlock<Scalar>
    /// A class for each example.
    let classes: [Int]?
    /// examples × numbers.
    let targets: NumberBlock<Scalar>?
    /// The number of positions of each example.
    let lengths: [Int]?
    /// What each example's random numbers are drawn from; empty in evaluation.
    let keys: [UInt64]

    var exampleCount: Int { features.rows }
}

extension ProgramInputs<Float> {
    /// Examples as they are in training: no number is copied.
    ///
    /// Traps unless there is a class, a row of targets, a length or a key, where they are given, for each row.
    package init(
        features: Matrix, classes: [Int]? = nil, targets: Matrix? = nil, lengths: [Int]? = nil, keys: [UInt64] = []
    ) {
        for count in [classes?.count, targets?.rows, lengths?.count, keys.isEmpty ? nil : keys.count] {
            require(
                count == nil || count == features.rows,
                "Data for \(count ?? 0) examples do not fit \(features.rows) rows of features.")
        }
        self.features = NumberBlock(features)
        self.classes = classes
        self.targets = targets.map { NumberBlock($0) }
        self.lengths = lengths
        self.keys = keys
    }

    /// The same numbers in Float64.
    package var inDouble: ProgramInputs<Double> {
        func converted(_ block: NumberBlock<Float>) -> NumberBlock<Double> {
            let result = NumberBlock<Double>(rows: block.rows, columns: block.columns)
            for index in 0..<block.rows * block.columns { result.base[index] = Double(block.base[index]) }
            return result
        }
        return ProgramInputs<Double>(
            features: converted(features), classes: classes, targets: targets.map(converted), lengths: lengths,
            keys: keys)
    }
}

/// Memory that a program reuses from one run to the next: after the first run on a block of one size it allocates none.
public struct ProgramMemory<Scalar: Real>: Sendable {
    var values: [NumberBlock<Scalar>] = []
    var gradients: [NumberBlock<Scalar>] = []
    var saved: [NumberBlock<Scalar>] = []
    /// Gradients on their way to be added to those of another use of the same value.
    var scratch: [NumberBlock<Scalar>] = []
    var constants: [NumberBlock<Scalar>] = []
    /// What the memory was last used for.
    var recording: Recording?

    /// Empty memory.
    public init() {}
}
