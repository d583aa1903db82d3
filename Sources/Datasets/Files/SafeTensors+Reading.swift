import Foundation
import PyTrees

extension SafeTensors {
    /// The reference implementation's limit.
    static let headerLimit = 100_000_000

    /// Reads the file at `path`; names are taken apart at their full stops, and leaves come in the order of their data.
    ///
    /// Throws ``FileError`` if the file cannot be read, has more than `limit` bytes, breaks the format (tensors of
    /// other types than F32 included), or if its names are no tree's.
    public static func read(_ path: String, limit: Int = FileContents.usualLimit) throws(FileError) -> Contents {
        try read(path, limit: limit) { (header, bytes) throws(SafeTensorsProblem) in
            let layout: TreeLayout
            do throws(PyTreeError) {
                layout = try TreeLayout(
                    header.tensors.map { tensor in
                        let keys = tensor.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
                        return (tensor.name.isEmpty ? .root : TreePath(keys), tensor.shape)
                    })
            } catch {
                throw .noTree(error)
            }
            return Contents(
                parameters: vector(of: header.tensors, layout: layout, in: bytes), metadata: header.metadata)
        }
    }

    /// Reads the file at `path` into `layout`, in whatever order the file holds its tensors.
    ///
    /// Throws ``FileError`` as ``read(_:limit:)`` does, and if the tensors are not exactly the layout's leaves.
    public static func read(
        _ path: String, as layout: TreeLayout, limit: Int = FileContents.usualLimit
    ) throws(FileError) -> Contents {
        try read(path, limit: limit) { (header, bytes) throws(SafeTensorsProblem) in
            var found = Dictionary(uniqueKeysWithValues: header.tensors.map { ($0.name, $0) })
            var tensors: [SafeTensorsHeader.Tensor] = []
            var names: Set<String> = []
            for leaf in layout.leaves {
                let name = name(of: leaf)
                guard names.insert(name).inserted else { throw .ambiguousName(name) }
                guard let tensor = found.removeValue(forKey: name) else { throw .missingTensor(name) }
                guard tensor.shape == leaf.shape else {
                    throw .shapeMismatch(name: name, shape: tensor.shape, expected: leaf.shape)
                }
                tensors.append(tensor)
            }
            if let name = found.keys.min() { throw .unexpectedTensor(name) }
            return Contents(parameters: vector(of: tensors, layout: layout, in: bytes), metadata: header.metadata)
        }
    }

    /// Reads all tensors of the file at `path`, by name, whatever their names are.
    ///
    /// Throws ``FileError`` if the file cannot be read, has more than `limit` bytes, or breaks the format.
    public static func readTensors(
        _ path: String, limit: Int = FileContents.usualLimit
    ) throws(FileError) -> [String: Tensor] {
        try read(path, limit: limit) { (header, bytes) throws(SafeTensorsProblem) in
            let layout: TreeLayout
            do throws(PyTreeError) {
                layout = try TreeLayout(header.tensors.map { (TreePath([$0.name]), $0.shape) })
            } catch {
                throw .noTree(error)
            }
            let vector = vector(of: header.tensors, layout: layout, in: bytes)
            return Dictionary(uniqueKeysWithValues: header.tensors.map { ($0.name, vector[TreePath([$0.name])]) })
        }
    }

    private static func read<Result>(
        _ path: String, limit: Int,
        _ body: (SafeTensorsHeader, ArraySlice<UInt8>) throws(SafeTensorsProblem) -> Result
    ) throws(FileError) -> Result {
        let bytes = try FileContents.read(path, limit: limit)
        do throws(SafeTensorsProblem) {
            let (header, data) = try header(of: bytes)
            return try body(header, data)
        } catch {
            throw .tensors(path: path, problem: error)
        }
    }

    /// The header, its tensors checked and sorted by where they lie, and the bytes of the tensors.
    static func header(
        of bytes: [UInt8]
    ) throws(SafeTensorsProblem) -> (header: SafeTensorsHeader, data: ArraySlice<UInt8>) {
        guard bytes.count >= 8 else { throw .noHeaderLength(fileBytes: bytes.count) }
        let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let limit = min(headerLimit, bytes.count - 8)
        guard length <= UInt64(limit) else { throw .headerTooLarge(length: length, limit: limit) }
        let start = 8 + Int(length)

        var parser = SafeTensorsHeaderParser(bytes[8..<start])
        var header = try parser.parse()
        // Empty tensors come before the one that begins where they do.
        header.tensors.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
        let dataBytes = bytes.count - start
        var position = 0
        for tensor in header.tensors {
            let (name, begin, end) = (tensor.name, tensor.begin, tensor.end)
            guard tensor.type == "F32" else { throw .unsupportedType(name: name, type: tensor.type) }
            guard begin <= end, end <= dataBytes else {
                throw .outOfRange(name: name, begin: begin, end: end, dataBytes: dataBytes)
            }
            guard tensor.hasBytesForItsShape else {
                throw .sizeMismatch(name: name, shape: tensor.shape, bytes: end - begin)
            }
            guard begin == position else { throw .notContiguous(name: name, begin: begin, expected: position) }
            position = end
        }
        guard position == dataBytes else { throw .unclaimedBytes(dataBytes - position) }
        return (header, bytes[start...])
    }

    private static func vector(
        of tensors: [SafeTensorsHeader.Tensor], layout: TreeLayout, in data: ArraySlice<UInt8>
    ) -> ParameterVector {
        var vector = ParameterVector(zeros: layout)
        vector.withUnsafeMutableValues { values in
            data.withUnsafeBytes { data in
                for (leaf, tensor) in zip(layout.leaves, tensors) {
                    let target = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: values[leaf.range]))
                    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: data[tensor.begin..<tensor.end]))
                    #if _endian(big)
                        for index in leaf.range {
                            values[index] = Float(bitPattern: values[index].bitPattern.byteSwapped)
                        }
                    #endif
                }
            }
        }
        return vector
    }
}

extension SafeTensorsHeader.Tensor {
    /// Whether the tensor's bytes are 4 for each element that its shape promises, which can be more than `Int` counts.
    fileprivate var hasBytesForItsShape: Bool {
        if shape.contains(0) { return begin == end }
        var bytes = 4
        for dimension in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            if overflow { return false }
            bytes = product
        }
        return bytes == end - begin
    }
}
