import LinearAlgebra

/// What is made of arrays of sequences: examples × positions (of tokens), or examples × positions × features.
///
/// What stands behind a sequence's length is padding, and not read: it becomes −1 among token ids and targets, and 0
/// among features.
struct NumPySequences {
    /// What Float32 holds exactly, and every whole number below it.
    static let tokenLimit = 1 << 24

    private let examples: NumPyExamples

    init(_ examples: NumPyExamples) { self.examples = examples }

    private var rows: Int { examples.inputs.array.rows }
    private var positions: Int { examples.inputs.array.shape[1] }

    /// The lengths in their array, each in 1...positions; nil if there is none.
    func givenLengths() throws(DatasetError) -> [Int]? {
        guard let named = examples.lengths else { return nil }
        let array = named.array
        guard array.rows == rows, !array.shape.isEmpty else {
            throw .lengthCountMismatch(
                examples: examples.inputs.path, exampleCount: rows, lengths: named.path, lengthCount: array.rows)
        }
        guard array.columns == 1 else {
            throw .numPy(
                path: named.path, problem: .wrongShape(array.shape, expected: "one number an example: its length"))
        }
        guard let lengths = array.wholeNumbers() else {
            throw .numPy(path: named.path, problem: .lengthsAreNotWhole(type: array.type))
        }
        if let row = lengths.firstIndex(where: { !(1...max(1, positions)).contains($0) }) {
            throw .numPy(
                path: named.path,
                problem: .lengthOutOfRange(
                    row: examples.firstRow + row, length: lengths[row], positions: positions))
        }
        return lengths
    }

    /// Token ids, −1 in the place of padding, and how many of each row are none: as many as `lengths` say, or else
    /// those before the row's last −1s.
    func tokens(_ lengths: [Int]?) throws(DatasetError) -> (ids: Matrix, lengths: [Int]) {
        let path = examples.inputs.path
        let wholeNumbers = examples.inputs.array.wholeNumbers()
        var ids = examples.inputs.array.matrix()
        var found = lengths ?? []
        do throws(NumPyProblem) {
            try ids.withUnsafeMutableElements { (elements) throws(NumPyProblem) in
                for row in 0..<rows {
                    let begin = row * positions
                    /// Whole numbers beyond 2²⁴ may have been rounded to one below.
                    func isToken(_ place: Int) -> Bool {
                        if let wholeNumbers { return (0..<Self.tokenLimit).contains(wholeNumbers[place]) }
                        let value = elements[place]
                        return value >= 0 && value < Float(Self.tokenLimit) && value == value.rounded()
                    }
                    func problem(_ position: Int) -> NumPyProblem {
                        let place = begin + position
                        let value = wholeNumbers.map { "\($0[place])" } ?? "\(elements[place])"
                        return .notAToken(row: examples.firstRow + row, position: position, value: value)
                    }
                    if lengths == nil {
                        let last = (0..<positions).last { elements[begin + $0] != -1 }
                        guard let last else { throw .emptySequence(row: examples.firstRow + row) }
                        found.append(last + 1)
                    }
                    for position in 0..<found[row] where !isToken(begin + position) { throw problem(position) }
                    for position in found[row]..<positions { elements[begin + position] = -1 }
                }
            }
        } catch {
            throw .numPy(path: path, problem: error)
        }
        return (ids, found)
    }

    /// The matrix with zeros behind each sequence's length.
    func clearingPadding(of matrix: Matrix, _ lengths: [Int]) -> Matrix {
        var matrix = matrix
        let width = matrix.columns / positions
        matrix.withUnsafeMutableElements { elements in
            for (row, length) in lengths.enumerated() {
                for place in row * positions * width + length * width..<(row + 1) * positions * width {
                    elements[place] = 0
                }
            }
        }
        return matrix
    }

    /// A target for each position: a class in 0..<`classCount`, in 0..<2²⁴ if that is nil, or −1 where the position is
    /// to be ignored, as padding is.
    func targets(_ numbers: [Int], _ lengths: [Int], classCount: Int?) throws(DatasetError) -> Matrix {
        guard let path = examples.labels?.path else { return Matrix(rows: rows, columns: 0) }
        let limit = classCount ?? Self.tokenLimit
        var targets = Matrix(rows: rows, columns: positions)
        do throws(NumPyProblem) {
            try targets.withUnsafeMutableElements { (elements) throws(NumPyProblem) in
                for row in 0..<rows {
                    for position in 0..<positions {
                        let place = row * positions + position
                        let isPadding = position >= lengths[row]
                        guard isPadding || (-1..<limit).contains(numbers[place]) else {
                            throw .positionTargetOutOfRange(
                                row: examples.firstRow + row, position: position, value: numbers[place], limit: limit)
                        }
                        elements[place] = isPadding ? -1 : Float(numbers[place])
                    }
                }
            }
        } catch {
            throw .numPy(path: path, problem: error)
        }
        return targets
    }
}
