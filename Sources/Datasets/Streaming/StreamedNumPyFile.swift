/// Examples from `.npy` files that are read from disk when they are needed: features in one file, labels and lengths in
/// others, all uncompressed and in C order.
///
/// Features, labels and lengths are what ``NumPyFile`` makes of them, in every bit. Memory holds what is asked for, and
/// nothing that grows with the number of examples. Opening reads everything once, so that what is wrong with the files
/// is found before training.
///
/// - Warning: which parts of the file are read shows which examples a step draws, in the system's page cache and in the
///   time that reading takes. Use a machine whose other users need not be kept from it.
public struct StreamedNumPyFile: Dataset {
    /// The number of examples.
    public let count: Int
    /// The number of features of each example.
    public let featureCount: Int
    /// The shape of an example, before it was flattened.
    public let exampleShape: [Int]
    /// The type of the features' elements as NumPy writes it, such as `<f4`.
    public let featureType: String
    /// Whether features are unsigned bytes, which are scaled by 1/255.
    public let hasByteFeatures: Bool
    /// What the inputs are read as.
    public let inputs: NumPyFile.Inputs

    private let features: NumPyStream
    private let labels: NumPyStream?
    private let lengths: NumPyStream?
    private let reader: NumPyReader

    /// Opens the files; without labels, targets are rows of no numbers.
    ///
    /// Throws ``DatasetError`` as ``NumPyFile`` does, and ``DatasetError/cannotStream(path:reason:)`` for archives and
    /// compressed files.
    public init(
        _ path: String, labels: String? = nil, lengths: String? = nil, inputs: NumPyFile.Inputs = .features,
        classCount: Int? = nil
    ) throws(DatasetError) {
        if let classCount { try Targets.check(classCount: classCount) }
        features = try NumPyStream(path)
        self.labels = try labels.map { (path) throws(DatasetError) in try NumPyStream(path) }
        self.lengths = try lengths.map { (path) throws(DatasetError) in try NumPyStream(path) }
        for (other, isLabels) in [(self.labels, true), (self.lengths, false)] {
            guard let other, other.rows != features.rows else { continue }
            throw isLabels
                ? .countMismatch(
                    examples: path, exampleCount: features.rows, labels: other.path, labelCount: other.rows)
                : .lengthCountMismatch(
                    examples: path, exampleCount: features.rows, lengths: other.path, lengthCount: other.rows)
        }
        count = features.rows
        exampleShape = Array(features.shape.dropFirst())
        featureCount = exampleShape.reduce(1, *)
        featureType = features.type
        guard count == 0 || featureCount > 0 else {
            throw .numPy(path: path, problem: .wrongShape(features.shape, expected: "at least one feature"))
        }

        let wanted = NumPyReader(
            labels: .wanted(classCount: classCount), hasTokens: inputs == .tokens, limit: .max)
        let first = try Self.arrays(Array(0..<min(1, features.rows)), features, self.labels, self.lengths)
        reader = wanted.deciding(by: first)
        hasByteFeatures = first.inputs.isBytes && !reader.hasTokens
        self.inputs = reader.hasTokens ? .tokens : .features
        _ = try reader.dataset(first)
        let blockSize = features.rowsPerBlock
        for begin in stride(from: 0, to: count, by: blockSize) {
            var arrays = try arrays(Array(begin..<min(begin + blockSize, count)))
            arrays.firstRow = begin
            _ = try reader.examples(arrays)
        }
    }

    /// The examples at `indices`, in that order; an index may occur again. Traps if one is not in 0..<`count`.
    ///
    /// Throws ``FileError/changed(path:)`` as a ``DatasetError`` if a file is not what it was when it was opened.
    public func examples(at indices: [Int]) throws -> Examples {
        let arrays = try arrays(indices)
        do {
            return try reader.examples(arrays).examples
        } catch {
            // What was in order when the files were opened is not any more.
            throw features.file.hasChanged
        }
    }

    private func arrays(_ rows: [Int]) throws(DatasetError) -> NumPyExamples {
        try Self.arrays(rows, features, labels, lengths)
    }

    private static func arrays(
        _ rows: [Int], _ features: NumPyStream, _ labels: NumPyStream?, _ lengths: NumPyStream?
    ) throws(DatasetError) -> NumPyExamples {
        var examples = NumPyExamples(inputs: try features.array(rows))
        if let labels { examples.labels = try labels.array(rows) }
        if let lengths { examples.lengths = try lengths.array(rows) }
        return examples
    }
}
