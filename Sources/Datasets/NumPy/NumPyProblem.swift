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
        case .missingArray(let names, let found):
            "it has no array named \(names.map { "'\($0)'" }.joined(separator: " or ")), but "
                + (found.isEmpty ? "none at all" : found.prefix(10).map { "'\($0)'" }.joined(separator: ", "))
                + ": save numpy.savez(path, x_train=…, y_train=…, x_test=…, y_test=…)."
        case .damagedArchive(let reason):
            "it is a damaged archive, or not one of numpy.savez: \(reason). Write it again."
        }
    }
}
