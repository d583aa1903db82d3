/// An open safetensors file: its header, checked, and its tensors, which are read when they are asked for.
///
/// Beside what tensors are read into, no more than a chunk of the file is in memory.
struct SafeTensorsFile: ~Copyable {
    /// The tensors, in the order in which they lie.
    let header: SafeTensorsHeader
    private let file: SeekableFile
    /// Where the tensors' bytes begin.
    private let start: Int

    /// The reference implementation's limit.
    static let headerLimit = 100_000_000
    private static let chunkBytes = 1 << 18

    /// Reads the header of the file at `path`.
    ///
    /// Throws ``FileError`` if the file cannot be read, has more than `limit` bytes, or breaks the format. Of tensors
    /// whose type is not read, the size is not checked.
    init(_ path: String, limit: Int) throws(FileError) {
        let file = try SeekableFile(path, limit: limit)
        let (header, start) = try Self.header(of: file)
        self.header = header
        self.start = start
        self.file = file
    }

    private static func header(
        of file: borrowing SeekableFile
    ) throws(FileError) -> (header: SafeTensorsHeader, end: Int) {
        let (prefix, fileBytes) = (try file.bytes(at: 0, count: 8), file.count)
        let length = try naming(file.path) { () throws(SafeTensorsProblem) in
            guard prefix.count == 8 else { throw .noHeaderLength(fileBytes: fileBytes) }
            let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let limit = min(headerLimit, fileBytes - 8)
            guard length <= UInt64(limit) else { throw .headerTooLarge(length: length, limit: limit) }
            return Int(length)
        }
        let bytes = try file.bytes(at: 8, count: length)
        let header = try naming(file.path) { () throws(SafeTensorsProblem) in
            var parser = SafeTensorsHeaderParser(bytes[...])
            return try parser.parse().checked(dataBytes: fileBytes - 8 - length)
        }
        return (header, 8 + length)
    }

    /// What `body` returns; a problem that it throws becomes one of this file.
    func naming<Result>(
        _ body: () throws(SafeTensorsProblem) -> Result
    ) throws(FileError) -> Result {
        try Self.naming(file.path, body)
    }

    private static func naming<Result>(
        _ path: String, _ body: () throws(SafeTensorsProblem) -> Result
    ) throws(FileError) -> Result {
        do throws(SafeTensorsProblem) {
            return try body()
        } catch {
            throw .tensors(path: path, problem: error)
        }
    }

    /// Fills `target` with the elements of `tensor` from number `first` on, in row-major order.
    ///
    /// Throws ``FileError`` if the tensor's type is not read, if the file cannot be, or if it was cut short meanwhile.
    func read(
        _ tensor: SafeTensorsHeader.Tensor, from first: Int = 0, into target: UnsafeMutableBufferPointer<Float>
    ) throws(FileError) {
        let element = try naming { () throws(SafeTensorsProblem) in try tensor.element() }
        let begin = tensor.begin + first * element.size
        #if _endian(little)
            if element == .float32 { return try fill(UnsafeMutableRawBufferPointer(target), from: begin, of: tensor) }
        #endif
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 16)
        defer { chunk.deallocate() }
        var place = 0
        while place < target.count {
            let count = min(Self.chunkBytes / element.size, target.count - place)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: chunk[..<(count * element.size)])
            try fill(bytes, from: begin + place * element.size, of: tensor)
            element.decode(
                UnsafeRawBufferPointer(bytes),
                to: UnsafeMutableBufferPointer(rebasing: target[place..<place + count]))
            place += count
        }
    }

    private func fill(
        _ bytes: UnsafeMutableRawBufferPointer, from begin: Int, of tensor: SafeTensorsHeader.Tensor
    ) throws(FileError) {
        let count = try file.read(at: start + begin, into: bytes)
        try naming { () throws(SafeTensorsProblem) in
            guard count == bytes.count else {
                throw .outOfRange(
                    name: tensor.name, begin: tensor.begin, end: tensor.end, dataBytes: begin + count)
            }
        }
    }
}
