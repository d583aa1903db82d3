import PyTrees
import Requirements

/// What can be wrong with a safetensors file.
public enum SafeTensorsProblem: Error, Equatable, Sendable {
    /// The file has fewer than the 8 bytes that say how long its header is.
    case noHeaderLength(fileBytes: Int)
    /// The header is said to be longer than the rest of the file, or than the format's 100,000,000 bytes.
    case headerTooLarge(length: UInt64, limit: Int)
    /// The header is not the JSON that the format prescribes; `offset` counts from its first byte.
    case malformedHeader(offset: Int, expected: String)
    /// A name or a key occurs twice.
    case duplicateKey(String)
    /// A tensor is of another type than F32, F16 and BF16, such as F64 or I64.
    case unsupportedType(name: String, type: String)
    /// A tensor's bytes are said to lie outside the file's, or to end before they begin.
    case outOfRange(name: String, begin: Int, end: Int, dataBytes: Int)
    /// A tensor's bytes are not as many as its shape needs.
    case sizeMismatch(name: String, shape: [Int], bytes: Int, bytesPerElement: Int)
    /// A tensor begins before the one before it ends, or after a gap.
    case notContiguous(name: String, begin: Int, expected: Int)
    /// Bytes after the last tensor belong to none.
    case unclaimedBytes(Int)
    /// The tensors' names are no tree's paths.
    case noTree(PyTreeError)
    /// The expected layout has a tensor that the file lacks.
    case missingTensor(String)
    /// The file has a tensor that the expected layout lacks.
    case unexpectedTensor(String)
    /// A tensor has another shape than the expected layout says.
    case shapeMismatch(name: String, shape: [Int], expected: [Int])
    /// Names and metadata to be written take at least so many bytes, more than the format allows its header.
    case headerTooLong(length: Int, limit: Int)
    /// The file has tensors of another number of layers than the network has parameters of.
    case layerCountMismatch(layers: [String], expected: Int)
    /// Two layers of one shape, whose order their names do not say.
    case ambiguousOrder(String, String, shape: [Int])
    /// Two leaves of the layout would be written under one name, or one under a name that the format reserves.
    case ambiguousName(String)
}

extension SafeTensorsProblem: CustomStringConvertible {
    /// What was found, what is allowed, and the remedy. Control characters of names are escaped.
    public var description: String { sentence.printable }

    private var sentence: String {
        switch self {
        case .noHeaderLength(let fileBytes):
            "it has \(fileBytes) bytes, but must begin with 8 that hold its header's length. Write or fetch it again."
        case .headerTooLarge(let length, let limit):
            "its header is said to have \(length) bytes, but can have \(limit) at most: the file is cut short or of "
                + "another format."
        case .malformedHeader(let offset, let expected):
            "at byte \(offset) of its header, \(expected) was expected. Write it again with a safetensors library."
        case .duplicateKey(let key):
            "\"\(key)\" occurs twice in its header, but every name may only occur once."
        case .unsupportedType(let name, let type):
            "the tensor \"\(name)\" is of type \(type), but must be of type F32, F16 or BF16, which become Float32 "
                + "exactly: convert it before saving, in PyTorch by tensor.float(), or leave it out."
        case .outOfRange(let name, let begin, let end, let dataBytes):
            "the tensor \"\(name)\" is said to lie in bytes \(begin) to \(end) of the \(dataBytes) bytes of data: "
                + "the file is damaged or was not written to its end."
        case .sizeMismatch(let name, let shape, let bytes, let bytesPerElement):
            "the tensor \"\(name)\" of shape \(shape) has \(bytes) bytes, but must have \(bytesPerElement) for each "
                + "element."
        case .notContiguous(let name, let begin, let expected):
            "the tensor \"\(name)\" begins at byte \(begin) of the data, but must begin at \(expected), where the one "
                + "before it ends."
        case .unclaimedBytes(let count):
            "\(count) bytes after its last tensor belong to none: the file is damaged or something was appended to it."
        case .noTree(let error):
            "its names are no tree's paths: \(error) Or read it as a layout that is known."
        case .missingTensor(let name):
            "it has no tensor \"\(name)\", which the layout expects: read a file of the same model."
        case .unexpectedTensor(let name):
            "it has a tensor \"\(name)\", which the layout lacks: read a file of the same model."
        case .shapeMismatch(let name, let shape, let expected):
            "the tensor \"\(name)\" has the shape \(shape), but the layout expects \(expected): read a file of the "
                + "same model."
        case .headerTooLong(let length, let limit):
            "names and metadata would take \(length) bytes or more of its header, which can have \(limit) at most: "
                + "shorten the metadata, or keep it in a file of its own."
        case .layerCountMismatch(let layers, let expected):
            "it has \(layers.count) layers with a weight or a bias (\(layers.joined(separator: ", "))), but the "
                + "network has \(expected): read a file of the same model, or name the tensors one by one."
        case .ambiguousOrder(let first, let second, let shape):
            "\"\(first)\" and \"\(second)\" have weights of the shape \(shape) both, and their names do not say which "
                + "layer comes first: number them, such as fc1 and fc2, or name the tensors one by one."
        case .ambiguousName(let name):
            "the layout has several leaves that would be named \"\(name)\", or one that may not be: rename a leaf."
        }
    }
}
