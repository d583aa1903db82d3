import LinearAlgebra
import Requirements

/// A data set that lies in memory as a whole.
public struct InMemoryDataset: Dataset {
    /// examples × features.
    public let inputs: Matrix
    /// One target for each row of inputs.
    public let targets: Targets
    /// How many positions of each example's sequence there are; nil where all are there.
    public let lengths: [Int]?
    /// What was taken from the data before training, in whole sentences.
    public let notCovered: [String]

    /// A data set of the given rows.
    ///
    /// Traps if there are not as many targets, or lengths, as rows, if a class is not in 0..<`classCount`, or if a
    /// length is negative.
    public init(inputs: Matrix, targets: Targets, lengths: [Int]? = nil, notCovered: [String] = []) {
        // Its conditions are those of all examples together.
        _ = Examples(inputs: inputs, targets: targets, lengths: lengths)
        if case .classes(let classes, let classCount) = targets {
            if let wrong = classes.firstIndex(where: { $0 < 0 || $0 >= classCount }) {
                fail("Example \(wrong) is of class \(classes[wrong]), outside 0..<\(classCount).")
            }
        }
        self.inputs = inputs
        self.targets = targets
        self.lengths = lengths
        self.notCovered = notCovered
    }

    /// A data set of rows of features, and a number to predict for each.
    ///
    /// Traps unless all rows have the same length and there is one target for each.
    public init(inputs: [[Float]], targets: [Float], notCovered: [String] = []) {
        self.init(
            inputs: Matrix(inputs),
            targets: .values(Matrix(rows: targets.count, columns: 1, elements: targets)), notCovered: notCovered)
    }

    /// A data set of rows of features, and a class in 0..<`classCount` for each.
    ///
    /// Traps unless all rows have the same length and there is one class in range for each.
    public init(inputs: [[Float]], classes: [Int], classCount: Int, notCovered: [String] = []) {
        self.init(
            inputs: Matrix(inputs), targets: .classes(classes, classCount: classCount), notCovered: notCovered)
    }

    /// The number of examples.
    public var count: Int { inputs.rows }

    /// The number of features of each example.
    public var featureCount: Int { inputs.columns }

    /// The examples at `indices`, in that order; an index may occur again. Traps if one is not in 0..<`count`.
    /// - Complexity: O(`indices.count` · `featureCount`), over several threads.
    public func examples(at indices: [Int]) -> Examples {
        Examples(
            inputs: inputs.gatheringRows(indices), targets: targets.gathering(indices),
            lengths: lengths.map { lengths in indices.map { lengths[$0] } })
    }

    /// All examples, without a copy.
    public var examples: Examples { Examples(inputs: inputs, targets: targets, lengths: lengths) }
}

extension Matrix {
    /// The rows at `indices`, in that order. Traps outside the shape.
    func gatheringRows(_ indices: [Int]) -> Matrix {
        for index in indices {
            require(index >= 0 && index < rows, "Example \(index) lies outside a data set of \(rows).")
        }
        var result = Matrix(rows: indices.count, columns: columns)
        guard columns > 0 else { return result }
        // Below some 100 microseconds of copying, waking a thread costs more than it saves.
        let size = result.count / Threads.workPerThread(1 << 18)
        result.withUnsafeMutableElements { target in
            // Members write disjoint rows.
            nonisolated(unsafe) let target = target
            withUnsafeElements { source in
                nonisolated(unsafe) let source = source
                Threads.withTeam(of: size) { member in
                    for row in member.share(of: indices.indices) {
                        let from = source[indices[row] * columns..<(indices[row] + 1) * columns]
                        _ = UnsafeMutableBufferPointer(rebasing: target[row * columns..<(row + 1) * columns])
                            .update(fromContentsOf: UnsafeBufferPointer(rebasing: from))
                    }
                }
            }
        }
        return result
    }
}

extension Targets {
    /// The targets at `indices`, in that order. Traps outside the range.
    func gathering(_ indices: [Int]) -> Targets {
        switch self {
        case .classes(let classes, let classCount): .classes(indices.map { classes[$0] }, classCount: classCount)
        case .values(let values): .values(values.gatheringRows(indices))
        }
    }
}
