import Foundation
import PyTrees

/// Files in the safetensors format (github.com/huggingface/safetensors, README): parameters that other programs read.
///
/// A leaf `dense/kernel` becomes an F32 tensor `dense.kernel`, in the layout's order. A file is 8 bytes with the length
/// of the header (little-endian), the header as JSON, padded with spaces to a multiple of 8, and the elements of all
/// tensors (little-endian) without gaps. Bits are kept: NaN payloads and subnormal numbers come back as they were.
///
/// F16 and BF16 are read, too: each of their values is a Float32, subnormal numbers, infinities and NaN included.
/// Tensors with other names and orders, such as PyTorch's, go through a ``WeightMapping``.
public enum SafeTensors {
    /// What a file holds.
    public struct Contents: Sendable {
        /// The tensors, as the leaves of a tree.
        public let parameters: ParameterVector
        /// The file's `__metadata__`.
        public let metadata: [String: String]
    }

    static let metadataKey = "__metadata__"

    /// Writes `parameters` to the file at `path`, as ``AtomicFile`` does.
    ///
    /// Throws ``FileError`` if the file cannot be written, if names and metadata take more than the 100,000,000 bytes
    /// that the format allows its header, or if two leaves would have the same name: keys that hold full stops can
    /// bring that about. Nothing is written then. Empty subtrees are not written.
    public static func write(
        _ parameters: ParameterVector, metadata: [String: String] = [:], to path: String
    ) throws(FileError) {
        let bytes: Data
        do throws(SafeTensorsProblem) {
            bytes = try encode(parameters, metadata: metadata)
        } catch {
            throw .tensors(path: path, problem: error)
        }
        try AtomicFile.write(bytes, to: path)
    }

    /// The bytes of the file that ``write(_:metadata:to:)`` writes.
    static func encode(
        _ parameters: ParameterVector, metadata: [String: String], headerLimit: Int = SafeTensorsFile.headerLimit
    ) throws(SafeTensorsProblem) -> Data {
        // Before texts of that size are quoted.
        let least = metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard least <= headerLimit else { throw .headerTooLong(length: least, limit: headerLimit) }
        var names: Set<String> = [metadataKey]
        var entries: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            entries.append("\(quoted(metadataKey)):{\(pairs.joined(separator: ","))}")
        }
        for leaf in parameters.layout.leaves {
            let name = name(of: leaf)
            guard names.insert(name).inserted else { throw .ambiguousName(name) }
            let shape = leaf.shape.map(String.init).joined(separator: ",")
            entries.append(
                "\(quoted(name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(4 * leaf.range.lowerBound),\(4 * leaf.range.upperBound)]}")
        }
        var header = Array("{\(entries.joined(separator: ","))}".utf8)
        header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -header.count & 7))
        guard header.count <= headerLimit else { throw .headerTooLong(length: header.count, limit: headerLimit) }

        var data = Data(capacity: 8 + header.count + 4 * parameters.count)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: header)
        #if _endian(little)
            parameters.withUnsafeValues { data.append($0) }
        #else
            for value in parameters.values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }
        #endif
        return data
    }

    /// The name of a leaf's tensor: its keys, joined by full stops.
    package static func name(of leaf: TreeLayout.Leaf) -> String { leaf.path.keys.joined(separator: ".") }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}": result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
