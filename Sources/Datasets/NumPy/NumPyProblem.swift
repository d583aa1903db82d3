import Requirements

/// What can be wrong with a file in one of NumPy's formats.
public enum NumPyProblem: Error, Equatable, Sendable {
    /// The file does not begin as a `.npy` file of version 1 to 3 does.
    case notNumPy
    /// The header lacks the type, the order or the shape, or cannot be read; its first 200 characters.
    case malformedHeader(String)
    /// The elements are of a type that is not read.
    case unsupportedType(String)
    /// The array has another number of dimensions, or another shape, than it must have.
    case wrongShape([Int], expected: String)
    /// Not as many bytes follow the header as shape and type need.
    case sizeMismatch(shape: [Int], type: String, bytes: Int)
    /// A feature or a label is NaN, infinite, or not in Float32's range; `column` counts flattened features.
    case notFinite(row: Int, column: Int)
    /// Labels are whole numbers of this type, and nobody said how many classes there are.
    case lacksClassCount(type: String)
    /// The number of classes is given, but the labels are of this type.
    case classesAreNotWhole(type: String)
    /// The owners of examples are of this type.
    case ownersAreNotWhole(type: String)
    /// The lengths of sequences are of this type.
    case lengthsAreNotWhole(type: String)
    /// A sequence's length is not in 1...`positions`.
    case lengthOutOfRange(row: Int, length: Int, positions: Int)
    /// A token's id is no whole number in 0..<2²⁴; −1 is one only behind the sequence's end.
    case notAToken(row: Int, position: Int, value: String)
    /// A row of token ids holds padding alone.
    case emptySequence(row: Int)
    /// A position's target is neither −1 nor in 0..<`limit`.
    case positionTargetOutOfRange(row: Int, position: Int, value: Int, limit: Int)
    /// The array stands in Fortran order, in which an example's numbers are all over the file.
    case fortranOrder
    /// An archive has several arrays that mean the same.
    case ambiguousArrays([String])
    /// An archive has none of the arrays that are looked for.
    case missingArray([String], found: [String])
    /// An archive contradicts itself, or is not made as NumPy makes them.
    case damagedArchive(String)
}

extension NumPyProblem: CustomStringConvertible {
    /// What was found, what is allowed, and the remedy. Control characters of the file's text are escaped.
    public var description: String { sentence.printable }

    private var sentence: String {
        switch self {
        case .notNumPy:
            "it is not a NumPy file of version 1 to 3: write it with numpy.save or numpy.savez."
        case .malformedHeader(let text):
            "its header does not say type, order and shape: \(text)"
        case .unsupportedType(let type):
            "its elements are of type '\(type)', but must be Float32, Float64, whole numbers of 1 to 8 bytes, or bool: "
                + "save array.astype(numpy.float32)."
        case .wrongShape(let shape, let expected):
            "it has the shape \(shape), but must have \(expected)."
        case .sizeMismatch(let shape, let type, let bytes):
            "it promises an array of shape \(shape) and type '\(type)', but holds \(bytes) bytes of elements: "
                + "the file is damaged or was not written to its end."
        case .notFinite(let row, let column):
            "the number in row \(row), column \(column), counted from 0, is NaN, infinite or too large for Float32: "
                + "correct it, or leave the row out."
        case .lacksClassCount(let type):
            "its labels are whole numbers ('\(type)'), but the number of classes is missing, which is public and never "
                + "taken from the data. Give it (classCount, or --classes), or save labels.astype(numpy.float32) to "
                + "predict numbers."
        case .classesAreNotWhole(let type):
            "its labels are of type '\(type)', but classes are whole numbers from 0: save labels.astype(numpy.int64), "
                + "or leave the number of classes out to predict numbers."
        case .ownersAreNotWhole(let type):
            "its elements are of type '\(type)', but owners must be whole numbers: save owners.astype(numpy.int64)."
        case .lengthsAreNotWhole(let type):
            "its elements are of type '\(type)', but the lengths of sequences must be whole numbers: save "
                + "lengths.astype(numpy.int64)."
        case .lengthOutOfRange(let row, let length, let positions):
            "the length in row \(row), counted from 0, is \(length), but must be in 1...\(positions), as the examples "
                + "have \(positions) positions: correct it, or leave an empty sequence out."
        case .notAToken(let row, let position, let value):
            "the token in row \(row), position \(position), counted from 0, is \(value), but ids must be whole numbers "
                + "in 0..<\(NumPySequences.tokenLimit), and -1 (padding) may only stand behind a sequence's end: "
                + "correct it, or its length."
        case .emptySequence(let row):
            "row \(row), counted from 0, holds padding (-1) alone, but a sequence must have a token: leave it out."
        case .positionTargetOutOfRange(let row, let position, let value, let limit):
            "the target in row \(row), position \(position), counted from 0, is \(value), but must be in "
                + "0..<\(limit), or -1 where it is to be ignored: correct it, or the number of classes."
        case .fortranOrder:
            "it is in Fortran order, in which examples cannot be read one by one: save "
                + "numpy.ascontiguousarray(array), or read it into memory."
        case .ambiguousArrays(let names):
            "it has \(names.map { "'\($0)'" }.joined(separator: " and ")), which mean the same: leave one out."
        case .missingArray(let names, let found):
            "it has no array named \(names.map { "'\($0)'" }.joined(separator: " or ")), but "
                + (found.isEmpty ? "none at all" : found.prefix(10).map { "'\($0)'" }.joined(separator: ", "))
                + ": save numpy.savez(path, x_train=…, y_train=…, x_test=…, y_test=…)."
        case .damagedArchive(let reason):
            "it is a damaged archive, or not one of numpy.savez: \(reason). Write it again."
        }
    }
}
