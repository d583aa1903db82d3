import LinearAlgebra

/// Examples from NumPy's files: a `.npy` file with another one for the labels, or a `.npz` archive with both.
///
///     try NumPyFile("X.npy", labels: "y.npy", classCount: 10)
///     try NumPyFile("mnist.npz", classCount: 10)  // with x_train, y_train, x_test and y_test
///
/// Features are an array whose first dimension counts the examples; the other dimensions are flattened. Floating-point
/// numbers are taken as they are, unsigned bytes are scaled by 1/255 to [0, 1] as those of idx files are, other whole
/// numbers and bool are converted. Labels that are whole numbers (or bool) are classes, and floating-point ones
/// are numbers to predict, as they are.
///
/// **Guarantee:** the features and the target of each example are a function of its own rows, of the arrays' types and
/// of `classCount`: they depend on no other example.
public struct NumPyFile: Sendable {
    /// The examples: of an archive, the arrays `x_train` and `y_train`, or `x` and `y`.
    public let dataset: InMemoryDataset
    /// An archive's arrays `x_test` and `y_test`; nil if it has none.
    public let test: InMemoryDataset?
    /// The shape of an example, before it was flattened.
    public let exampleShape: [Int]
    /// The type of the features' elements as NumPy writes it, such as `<f4`.
    public let featureType: String
    /// Whether features are unsigned bytes, which are scaled by 1/255: all that a model is to be used on must agree.
    public let hasByteFeatures: Bool

    /// Reads the file at `path`, and the labels from the `.npy` file at `labels` or from the archive itself. Without
    /// any labels, targets are rows of no numbers: enough to predict.
    ///
    /// - Parameter classCount: the number of classes, where labels are whole numbers. It is public: it is not taken
    ///   from the data, where one person could decide about it.
    ///
    /// Throws ``DatasetError`` if a file cannot be read, breaks the format, or takes more than `limit` bytes; if
    /// features and labels are not as many, if a number is not finite or a label not in 0..<`classCount`; or if an
    /// archive's two sets differ in shape, have the same features, or if the features of one alone are unsigned bytes.
    public init(
        _ path: String, labels: String? = nil, classCount: Int? = nil, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        if let classCount { try Targets.check(classCount: classCount) }
        try self.init(
            path, reader: Reader(labels: .wanted(classCount: classCount), limit: limit),
            labels: try Self.labels(labels, limit), isEvaluated: false)
    }

    /// Reads the features of the file at `path` and no labels, though an archive may have some: targets are rows of no
    /// numbers, enough to predict. Throws ``DatasetError`` as ``init(_:labels:classCount:limit:)`` does.
    public init(features path: String, limit: Int = FileContents.usualLimit) throws(DatasetError) {
        try self.init(path, reader: Reader(labels: .unwanted, limit: limit), labels: nil, isEvaluated: false)
    }

    /// Reads the one set of the file at `path` that a model is evaluated on, as ``dataset``: of an archive `x_test` and
    /// `y_test` if it has them, and else what ``init(_:labels:classCount:limit:)`` reads. `labels` take the place of
    /// that set's own. ``test`` is nil.
    public init(
        evaluationSet path: String, labels: String? = nil, classCount: Int? = nil,
        limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        if let classCount { try Targets.check(classCount: classCount) }
        try self.init(
            path, reader: Reader(labels: .wanted(classCount: classCount), limit: limit),
            labels: try Self.labels(labels, limit), isEvaluated: true)
    }

    private static func labels(_ path: String?, _ limit: Int) throws(DatasetError) -> NamedArray? {
        guard let path else { return nil }
        return NamedArray(array: try NumPyArray(contentsOf: path, limit: limit), path: path)
    }

    private init(
        _ path: String, reader: Reader, labels given: NamedArray?, isEvaluated: Bool
    ) throws(DatasetError) {
        let limit = reader.limit
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path, limit: limit)
        } catch {
            throw .file(error)
        }
        guard ZipArchive.isZip(bytes) else {
            let inputs = NamedArray(array: try NumPyArray(bytes, path: path), path: path)
            dataset = try reader.dataset(inputs, labels: given)
            exampleShape = Array(inputs.array.shape.dropFirst())
            featureType = inputs.array.type
            hasByteFeatures = inputs.isBytes
            test = nil
            return
        }
        let archive = try ZipArchive(bytes, path: path)
        func array(_ name: String) throws(DatasetError) -> NamedArray? {
            let member = "\(path)/\(name).npy"
            return try archive.read("\(name).npy", limit: limit).map { (bytes) throws(DatasetError) in
                NamedArray(array: try NumPyArray(bytes, path: member), path: member)
            }
        }
        let suffix =
            if isEvaluated, archive.names.contains("x_test.npy") { "_test" } else {
                archive.names.contains("x_train.npy") ? "_train" : ""
            }
        guard let inputs = try array("x\(suffix)") else {
            throw .numPy(path: path, problem: .missingArray(["x_train", "x"], found: archive.names))
        }
        let labels = if let given { given } else { try array("y\(suffix)") }
        dataset = try reader.dataset(inputs, labels: labels)
        exampleShape = Array(inputs.array.shape.dropFirst())
        featureType = inputs.array.type
        hasByteFeatures = inputs.isBytes
        guard !isEvaluated, let testInputs = try array("x_test") else {
            test = nil
            return
        }
        guard testInputs.isBytes == inputs.isBytes else {
            throw .featureTypeMismatch(
                path: testInputs.path, type: testInputs.array.type, trainedOnBytes: inputs.isBytes)
        }
        let test = try reader.dataset(testInputs, labels: try array("y_test"))
        guard Array(testInputs.array.shape.dropFirst()) == exampleShape else {
            throw .exampleShapeMismatch(train: exampleShape, test: Array(testInputs.array.shape.dropFirst()))
        }
        // Whatever labels they have: a model's outputs for a training example tell of that example.
        guard test.inputs != dataset.inputs else {
            throw .testsOnTrainingExamples(train: inputs.path, test: testInputs.path)
        }
        self.test = test
    }
}

/// An array, and what errors call it.
private struct NamedArray {
    let array: NumPyArray
    let path: String

    /// Whether the elements are unsigned bytes.
    var isBytes: Bool { array.elementType.kind == .unsigned && array.elementType.size == 1 }
}

/// Makes examples of arrays.
private struct Reader {
    enum Labels {
        case wanted(classCount: Int?), unwanted
    }

    let labels: Labels
    let limit: Int

    func dataset(
        _ inputs: NamedArray, labels given: NamedArray?
    ) throws(DatasetError) -> InMemoryDataset {
        let (array, path) = (inputs.array, inputs.path)
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
        var matrix = array.matrix()
        if inputs.isBytes {
            // Each quotient rounded once, as division does.
            matrix.withUnsafeMutableElements { for index in $0.indices { $0[index] /= 255 } }
        }
        try requireFinite(matrix, path: path)
        guard case .wanted(let classCount) = labels, let labels = given else {
            return InMemoryDataset(inputs: matrix, targets: .values(Matrix(rows: matrix.rows, columns: 0)))
        }
        guard labels.array.rows == matrix.rows, !labels.array.shape.isEmpty else {
            throw .countMismatch(
                examples: path, exampleCount: matrix.rows, labels: labels.path, labelCount: labels.array.rows)
        }
        return InMemoryDataset(inputs: matrix, targets: try targets(labels, classCount: classCount))
    }

    private func targets(_ labels: NamedArray, classCount: Int?) throws(DatasetError) -> Targets {
        let (array, path) = (labels.array, labels.path)
        guard let classes = array.wholeNumbers() else {
            guard classCount == nil else {
                throw .numPy(path: path, problem: .classesAreNotWhole(type: array.type))
            }
            guard array.shape.count <= 2, array.columns > 0 else {
                let expected = "a number, or a row of numbers, an example"
                throw .numPy(path: path, problem: .wrongShape(array.shape, expected: expected))
            }
            let values = array.matrix()
            try requireFinite(values, path: path)
            return .values(values)
        }
        guard array.columns == 1 else {
            throw .numPy(path: path, problem: .wrongShape(array.shape, expected: "one number an example: its class"))
        }
        guard let classCount else { throw .numPy(path: path, problem: .lacksClassCount(type: array.type)) }
        if let index = classes.firstIndex(where: { !(0..<classCount).contains($0) }) {
            throw .labelOutOfRange(path: path, index: index, label: classes[index], classCount: classCount)
        }
        return .classes(classes, classCount: classCount)
    }

    private func requireFinite(_ matrix: Matrix, path: String) throws(DatasetError) {
        let place = matrix.withUnsafeElements { $0.firstIndex { !$0.isFinite } }
        guard let place else { return }
        throw .numPy(
            path: path, problem: .notFinite(row: place / matrix.columns, column: place % matrix.columns))
    }
}
