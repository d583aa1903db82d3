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
/// Sequences have lengths: an array of whole numbers, `lengths_train` or `lengths` in an archive (`lengths_test` of the
/// test set), or a file of its own.
///
/// - Whole numbers [examples × positions] with lengths are token ids, 0..<2²⁴. Without lengths they are where
///   ``Inputs/tokens`` says so, and each row ends with as many −1 as it has padding.
/// - Other numbers [examples × positions × features] with lengths are features of positions.
/// - Labels of sequences may be whole numbers [examples × positions]: a target for each position, −1 where it is to be
///   ignored, which become numbers to predict.
/// - What stands behind a length is not read: it becomes −1 in tokens and targets, and 0 in features.
///
/// **Guarantee:** the features and the target of each example are a function of its own rows, of the arrays' types and
/// of `classCount`: they depend on no other example.
public struct NumPyFile: Sendable {
    /// What the numbers of the inputs are.
    public enum Inputs: String, Codable, CaseIterable, Sendable {
        /// Features, unless they are whole numbers with lengths.
        case features
        /// Token ids: whole numbers, and −1 for padding.
        case tokens
    }

    /// The examples: of an archive, the arrays `x_train` and `y_train`, or `x` and `y`; the labels may also be called
    /// `targets_train`, or `targets`.
    public let dataset: InMemoryDataset
    /// An archive's arrays `x_test` and `y_test` (or `targets_test`); nil if it has none.
    public let test: InMemoryDataset?
    /// The shape of an example, before it was flattened.
    public let exampleShape: [Int]
    /// The type of the features' elements as NumPy writes it, such as `<f4`.
    public let featureType: String
    /// Whether features are unsigned bytes, which are scaled by 1/255: all that a model is to be used on must agree.
    public let hasByteFeatures: Bool
    /// What the inputs were read as: features with and without lengths, or token ids.
    public let inputs: Inputs

    /// Reads the file at `path`, and the labels from the `.npy` file at `labels` or from the archive itself. Without
    /// any labels, targets are rows of no numbers: enough to predict.
    ///
    /// - Parameters:
    ///   - path: the `.npy` or `.npz` file.
    ///   - labels: the `.npy` file with the labels; nil where they are in the archive, or nowhere.
    ///   - lengths: the `.npy` file with the lengths of sequences; nil where they are in the archive, or nowhere.
    ///   - inputs: what the numbers are.
    ///   - classCount: the number of classes, where labels are whole numbers. It is public: it is not taken from the
    ///     data, where one person could decide about it. Targets of positions need none, and are below it if there is
    ///     one.
    ///   - limit: the most bytes that a file may take.
    ///
    /// Throws ``DatasetError`` if a file cannot be read, breaks the format, or takes more than `limit` bytes; if
    /// features, labels and lengths are not as many, if a number is not finite, a label not in 0..<`classCount`, a
    /// length not in 1...positions, or a token not in 0..<2²⁴; or if an archive's two sets differ in shape, have the
    /// same features, or if the features of one alone are unsigned bytes.
    public init(
        _ path: String, labels: String? = nil, lengths: String? = nil, inputs: Inputs = .features,
        classCount: Int? = nil, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        if let classCount { try Targets.check(classCount: classCount) }
        try self.init(
            path, .wanted(classCount: classCount), inputs, limit,
            given: Given(labels: labels, lengths: lengths, limit: limit), isEvaluated: false)
    }

    /// Reads the inputs of the file at `path` and no labels, though an archive may have some: targets are rows of no
    /// numbers, enough to predict. Throws ``DatasetError`` as the initializer with labels does.
    public init(
        features path: String, lengths: String? = nil, inputs: Inputs = .features,
        limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        try self.init(
            path, .unwanted, inputs, limit, given: Given(labels: nil, lengths: lengths, limit: limit),
            isEvaluated: false)
    }

    /// Reads the one set of the file at `path` that a model is evaluated on, as ``dataset``: of an archive `x_test` and
    /// `y_test` if it has them, and else what the initializer with labels reads. `labels` and `lengths` take the place
    /// of that set's own. ``test`` is nil.
    public init(
        evaluationSet path: String, labels: String? = nil, lengths: String? = nil, inputs: Inputs = .features,
        classCount: Int? = nil, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        if let classCount { try Targets.check(classCount: classCount) }
        try self.init(
            path, .wanted(classCount: classCount), inputs, limit,
            given: Given(labels: labels, lengths: lengths, limit: limit), isEvaluated: true)
    }

    /// Arrays in files of their own.
    private struct Given {
        let labels: NamedArray?
        let lengths: NamedArray?

        init(labels: String?, lengths: String?, limit: Int) throws(DatasetError) {
            self.labels = try NamedArray(contentsOf: labels, limit: limit)
            self.lengths = try NamedArray(contentsOf: lengths, limit: limit)
        }
    }

    private init(
        _ path: String, _ labels: NumPyReader.Labels, _ inputs: Inputs, _ limit: Int, given: Given, isEvaluated: Bool
    ) throws(DatasetError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path, limit: limit)
        } catch {
            throw .file(error)
        }
        let wanted = NumPyReader(labels: labels, hasTokens: inputs == .tokens, limit: limit)
        guard ZipArchive.isZip(bytes) else {
            let array = NamedArray(try NumPyArray(bytes, path: path), path: path)
            self = try NumPyFile(
                NumPyExamples(inputs: array, labels: given.labels, lengths: given.lengths), wanted)
            return
        }
        let archive = NumPyArchive(try ZipArchive(bytes, path: path), path: path, limit: limit)
        let suffix = archive.suffix(isEvaluated: isEvaluated)
        guard var examples = try archive.examples(suffix) else {
            throw .numPy(path: path, problem: .missingArray(["x_train", "x"], found: archive.names))
        }
        if let labels = given.labels { examples.labels = labels }
        if let lengths = given.lengths { examples.lengths = lengths }
        let train = try NumPyFile(examples, wanted)
        guard !isEvaluated, let others = try archive.examples("_test") else {
            self = train
            return
        }
        guard others.inputs.isBytes == examples.inputs.isBytes else {
            throw .featureTypeMismatch(
                path: others.inputs.path, type: others.inputs.array.type, trainedOnBytes: examples.inputs.isBytes)
        }
        // What the training inputs are, the test inputs must be.
        let test = try wanted.deciding(by: examples).dataset(others)
        let shape = Array(others.inputs.array.shape.dropFirst())
        guard shape == train.exampleShape else {
            throw .exampleShapeMismatch(train: train.exampleShape, test: shape)
        }
        // Whatever labels they have: a model's outputs for a training example tell of that example.
        guard test.inputs != train.dataset.inputs else {
            throw .testsOnTrainingExamples(train: examples.inputs.path, test: others.inputs.path)
        }
        self = NumPyFile(train, test: test)
    }

    private init(_ examples: NumPyExamples, _ wanted: NumPyReader) throws(DatasetError) {
        let reader = wanted.deciding(by: examples)
        dataset = try reader.dataset(examples)
        test = nil
        exampleShape = Array(examples.inputs.array.shape.dropFirst())
        featureType = examples.inputs.array.type
        hasByteFeatures = examples.inputs.isBytes && !reader.hasTokens
        inputs = reader.hasTokens ? .tokens : .features
    }

    private init(_ file: NumPyFile, test: InMemoryDataset) {
        dataset = file.dataset
        self.test = test
        exampleShape = file.exampleShape
        featureType = file.featureType
        hasByteFeatures = file.hasByteFeatures
        inputs = file.inputs
    }
}
