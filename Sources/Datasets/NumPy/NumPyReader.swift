import LinearAlgebra

/// An array, and what errors call it.
struct NamedArray {
    let array: NumPyArray
    let path: String

    init(_ array: NumPyArray, path: String) {
        self.array = array
        self.path = path
    }

    /// The array in the file at `path`; nil without a path.
    init?(contentsOf path: String?, limit: Int) throws(DatasetError) {
        guard let path else { return nil }
        self.init(try NumPyArray(contentsOf: path, limit: limit), path: path)
    }

    /// Whether the elements are unsigned bytes.
    var isBytes: Bool { array.elementType.kind == .unsigned && array.elementType.size == 1 }
}

/// The arrays that examples are made of.
struct NumPyExamples {
    var inputs: NamedArray
    var labels: NamedArray?
    var lengths: NamedArray?
    /// The place of the first row in the whole file, for errors.
    var firstRow = 0
}

/// Makes examples of arrays.
struct NumPyReader {
    enum Labels {
        case wanted(classCount: Int?), unwanted
    }

    let labels: Labels
    /// Whether inputs are token ids, whatever their type is.
    let hasTokens: Bool
    let limit: Int

    /// The reader for the same data, of which the inputs at hand decide whether all are token ids: whole numbers
    /// with lengths are.
    func deciding(by examples: NumPyExamples) -> NumPyReader {
        let array = examples.inputs.array
        let isWhole = array.elementType.kind != .float && array.shape.count == 2
        return NumPyReader(
            labels: labels, hasTokens: hasTokens || isWhole && examples.lengths != nil, limit: limit)
    }

    func dataset(_ examples: NumPyExamples) throws(DatasetError) -> InMemoryDataset {
        let (array, path) = (examples.inputs.array, examples.inputs.path)
        guard !array.shape.isEmpty else {
            throw .numPy(path: path, problem: .wrongShape([], expected: "a first dimension that counts the examples"))
        }
        guard array.rows > 0 else { throw .noExamples(path: path) }
        guard array.columns > 0 else {
            throw .numPy(path: path, problem: .wrongShape(array.shape, expected: "at least one feature"))
        }
        guard array.count <= limit / MemoryLayout<Float>.stride else {
            throw .tooLarge(path: path, examples: array.rows, features: array.columns, limit: limit)
        }
        return try self.examples(examples)
    }

    /// The same without a look at how many there are, for parts of a data set of which one was looked at.
    func examples(_ examples: NumPyExamples) throws(DatasetError) -> InMemoryDataset {
        let (array, path) = (examples.inputs.array, examples.inputs.path)
        guard hasTokens || examples.lengths != nil else {
            return InMemoryDataset(inputs: try features(examples), targets: try targets(examples, nil))
        }
        let expected =
            hasTokens
            ? "two dimensions, examples × positions, as token ids have"
            : "dimensions examples × positions × features, as sequences with lengths have"
        guard hasTokens ? array.shape.count == 2 : array.shape.count >= 2 else {
            throw .numPy(path: path, problem: .wrongShape(array.shape, expected: expected))
        }
        let sequences = NumPySequences(examples)
        var lengths = try sequences.givenLengths()
        let inputs: Matrix
        if hasTokens {
            (inputs, lengths) = try sequences.tokens(lengths)
        } else {
            inputs = sequences.clearingPadding(of: try features(examples), lengths ?? [])
        }
        return InMemoryDataset(inputs: inputs, targets: try targets(examples, lengths), lengths: lengths)
    }

    private func features(_ examples: NumPyExamples) throws(DatasetError) -> Matrix {
        var matrix = examples.inputs.array.matrix()
        if examples.inputs.isBytes {
            // Each quotient rounded once, as division does.
            matrix.withUnsafeMutableElements { for index in $0.indices { $0[index] /= 255 } }
        }
        try requireFinite(matrix, examples.inputs.path, examples.firstRow)
        return matrix
    }

    private func targets(_ examples: NumPyExamples, _ lengths: [Int]?) throws(DatasetError) -> Targets {
        let rows = examples.inputs.array.rows
        guard case .wanted(let classCount) = labels, let labels = examples.labels else {
            return .values(Matrix(rows: rows, columns: 0))
        }
        let (array, path) = (labels.array, labels.path)
        guard array.rows == rows, !array.shape.isEmpty else {
            throw .countMismatch(
                examples: examples.inputs.path, exampleCount: rows, labels: path, labelCount: array.rows)
        }
        guard let classes = array.wholeNumbers() else {
            guard classCount == nil else {
                throw .numPy(path: path, problem: .classesAreNotWhole(type: array.type))
            }
            guard array.shape.count <= 2, array.columns > 0 else {
                let expected = "a number, or a row of numbers, an example"
                throw .numPy(path: path, problem: .wrongShape(array.shape, expected: expected))
            }
            let values = array.matrix()
            try requireFinite(values, path, examples.firstRow)
            return .values(values)
        }
        if let lengths, array.shape.count == 2, array.columns == examples.inputs.array.shape[1] {
            // A single position's target is the example's class, as it is elsewhere.
            if array.columns > 1 {
                return .values(try NumPySequences(examples).targets(classes, lengths, classCount: classCount))
            }
        }
        guard array.columns == 1 else {
            let expected = "one number an example: its class" + (lengths == nil ? "" : ", or one a position")
            throw .numPy(path: path, problem: .wrongShape(array.shape, expected: expected))
        }
        guard let classCount else { throw .numPy(path: path, problem: .lacksClassCount(type: array.type)) }
        if let index = classes.firstIndex(where: { !(0..<classCount).contains($0) }) {
            throw .labelOutOfRange(
                path: path, index: examples.firstRow + index, label: classes[index], classCount: classCount)
        }
        return .classes(classes, classCount: classCount)
    }

    private func requireFinite(_ matrix: Matrix, _ path: String, _ firstRow: Int) throws(DatasetError) {
        let place = matrix.withUnsafeElements { $0.firstIndex { !$0.isFinite } }
        guard let place else { return }
        throw .numPy(
            path: path,
            problem: .notFinite(row: firstRow + place / matrix.columns, column: place % matrix.columns))
    }
}
