#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A file of which parts are read where they lie: of a regular file, nothing else is in memory.
struct SeekableFile: ~Copyable {
    let path: String
    /// The number of bytes.
    let count: Int
    private let source: Source

    private enum Source {
        case descriptor(Int32)
        /// Those of a pipe or a device, which have no places.
        case bytes([UInt8])
    }

    /// Opens the file at `path`.
    ///
    /// Throws ``FileError`` if it cannot be read or has more than `limit` bytes.
    init(_ path: String, limit: Int) throws(FileError) {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else { throw .cannotRead(path: path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let bytes = try FileContents.read(path, limit: limit)
            source = .bytes(bytes)
            count = bytes.count
            return
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotRead(path: path, code: errno) }
        // Another file can have taken the path meanwhile.
        guard fstat(descriptor, &status) == 0, status.st_size <= limit else {
            let error: FileError =
                status.st_size > limit ? .tooLarge(path: path, limit: limit) : .cannotRead(path: path, code: errno)
            close(descriptor)
            throw error
        }
        source = .descriptor(descriptor)
        count = Int(status.st_size)
    }

    deinit { if case .descriptor(let descriptor) = source { close(descriptor) } }

    /// Fills `target` with the bytes from `offset` on, and returns how many there are: fewer only at the file's end.
    ///
    /// Throws ``FileError`` if they cannot be read.
    func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        switch source {
        case .bytes(let bytes):
            let part = bytes.dropFirst(offset).prefix(target.count)
            target.copyBytes(from: part)
            return part.count
        case .descriptor(let descriptor):
            var filled = 0
            while filled < target.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: target[filled...].prefix(1 << 30))
                let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
                if count == 0 { break }
                if count < 0 {
                    if errno == EINTR { continue }
                    throw .cannotRead(path: path, code: errno)
                }
                filled += count
            }
            return filled
        }
    }

    /// The `count` bytes from `offset` on, or as many as there are.
    func bytes(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let filled = try bytes.withUnsafeMutableBufferPointer { (target) throws(FileError) in
            try read(at: offset, into: UnsafeMutableRawBufferPointer(target))
        }
        bytes.removeLast(count - filled)
        return bytes
    }
}
