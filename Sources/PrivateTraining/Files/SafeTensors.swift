import Foundation
import PyTrees

/// Parameters in the safetensors format, which Python and others read: a JSON header, then the numbers, little-endian.
///
///     8 bytes: the header's length │ {"dense/kernel": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, …} │ data
///
/// A tensor's name is its path as text, `dense/kernel`. Numbers come back bit by bit, NaN's payload and denormals
/// included.
public enum SafeTensors {
    /// What a file holds.
    public struct Contents: Equatable, Sendable {
        /// The tensors, in the order of their data.
        public let vector: ParameterVector
        /// Text that the writer put beside them.
        public let metadata: [String: String]
    }

    private struct Entry: Codable {
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    /// Headers that are longer are refused: the format's own limit.
    static let headerLimit = 100_000_000

    /// The bytes of a file.
    public static func encode(_ vector: ParameterVector, metadata: [String: String] = [:]) throws -> Data {
        var header: [String: HeaderValue] = [:]
        for leaf in vector.layout.leaves {
            let (begin, end) = (4 * leaf.range.lowerBound, 4 * leaf.range.upperBound)
            header[leaf.path.description] = .tensor(Entry(dtype: "F32", shape: leaf.shape, offsets: [begin, end]))
        }
        if !metadata.isEmpty { header["__metadata__"] = .metadata(metadata) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = try encoder.encode(header)
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
        var data = Data(capacity: 8 + text.count + 4 * vector.count)
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(text)
        vector.withUnsafeValues { values in
            #if _endian(little)
                data.append(contentsOf: UnsafeRawBufferPointer(values))
            #else
                for value in values {
                    withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
                }
            #endif
        }
        return data
    }

    /// Reads what ``encode(_:metadata:)`` writes, and any file of Float32 tensors without gaps.
    ///
    /// Throws ``FileError/malformedTensors(reason:)`` for anything else; nothing is allocated on the word of a header
    /// alone.
    public static func decode(_ data: Data) throws(FileError) -> Contents {
        let (header, begin) = try readHeader(data)
        var metadata: [String: String] = [:]
        var entries: [(path: TreePath, entry: Entry)] = []
        for (name, value) in header {
            switch value {
            case .metadata(let found):
                guard name == "__metadata__" else { throw malformed("'\(name)' is no tensor") }
                metadata = found
            case .tensor(let entry):
                guard entry.dtype == "F32" else { throw malformed("'\(name)' holds \(entry.dtype), not F32") }
                guard let path = TreePath(name) else { throw malformed("'\(name)' is not the text of a path") }
                entries.append((path, entry))
            }
        }
        // A tensor without elements begins where the next one does, and comes before it.
        entries.sort { ($0.entry.offsets, $0.path) < ($1.entry.offsets, $1.path) }
        var end = 0
        for (path, entry) in entries {
            guard entry.offsets.count == 2, entry.offsets[0] == end, entry.offsets[1] >= end else {
                throw malformed("the data of '\(path)' is at \(entry.offsets), but must begin at \(end)")
            }
            end = entry.offsets[1]
        }
        guard end == data.count - begin else {
            throw malformed("the tensors take \(end) bytes, but the file has \(data.count - begin)")
        }
        do {
            let layout = try TreeLayout(entries.map { ($0.path, $0.entry.shape) })
            for (leaf, item) in zip(layout.leaves, entries) where 4 * leaf.range.upperBound != item.entry.offsets[1] {
                throw malformed("'\(item.path)' of shape \(leaf.shape) does not take \(item.entry.offsets) bytes")
            }
            return Contents(
                vector: try ParameterVector(values: values(data[(data.startIndex + begin)...]), layout: layout),
                metadata: metadata)
        } catch let error as FileError {
            throw error
        } catch {
            throw malformed("\(error)")
        }
    }

    private static func readHeader(
        _ data: Data
    ) throws(FileError) -> (header: [String: HeaderValue], begin: Int) {
        guard data.count >= 8 else { throw malformed("it has \(data.count) bytes, and no room for a length") }
        let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= headerLimit, Int(length) <= data.count - 8 else {
            throw malformed("it promises a header of \(length) bytes, and has \(data.count - 8)")
        }
        let text = data[(data.startIndex + 8)..<(data.startIndex + 8 + Int(length))]
        do {
            return (try JSONDecoder().decode([String: HeaderValue].self, from: text), 8 + Int(length))
        } catch {
            throw malformed("its header cannot be read: \(error)")
        }
    }

    private static func values(_ bytes: Data) -> [Float] {
        [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, count in
            bytes.withUnsafeBytes { bytes in
                for index in 0..<bytes.count / 4 {
                    let bits = bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                    buffer[index] = Float(bitPattern: UInt32(littleEndian: bits))
                }
            }
            count = bytes.count / 4
        }
    }

    private static func malformed(_ reason: String) -> FileError { .malformedTensors(reason: reason) }

    private enum HeaderValue: Codable {
        case tensor(Entry)
        case metadata([String: String])

        init(from decoder: any Decoder) throws {
            if let metadata = try? [String: String](from: decoder) {
                self = .metadata(metadata)
            } else {
                self = .tensor(try Entry(from: decoder))
            }
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .tensor(let entry): try entry.encode(to: encoder)
            case .metadata(let metadata): try metadata.encode(to: encoder)
            }
        }
    }
}

/// Arrays in the order of a dictionary.
private func < (left: ([Int], TreePath), right: ([Int], TreePath)) -> Bool {
    if left.0 != right.0 { return left.0.lexicographicallyPrecedes(right.0) }
    return left.1 < right.1
}
