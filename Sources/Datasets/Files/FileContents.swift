#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Reads whole files into memory, and no more of them than asked for.
public enum FileContents {
    /// The limit where none is given: 4 GiB.
    public static let usualLimit = 1 << 32

    /// The bytes of the file at `path`.
    ///
    /// Throws ``FileError`` if it cannot be read or has more than `limit` bytes, of which no more are read.
    public static func read(_ path: String, limit: Int = usualLimit) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotRead(path: path, code: errno) }
        defer { close(descriptor) }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotRead(path: path, code: errno) }
        guard status.st_size <= limit else { throw .tooLarge(path: path, limit: limit) }

        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { chunk.deallocate() }
        // Until the end and not for `st_size` bytes: a pipe has none, and a file can grow.
        while true {
            let count = systemRead(descriptor, chunk)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw .cannotRead(path: path, code: errno)
            }
            guard bytes.count + count <= limit else { throw .tooLarge(path: path, limit: limit) }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        }
    }

    /// Whether two paths lead to one file, over symbolic and hard links: the same inode of the same device. False if
    /// there is no file at one of them.
    package static func isSameFile(_ path: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard stat(path, &first) == 0, stat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// The bytes of the file at `path`, inflated if they begin as a gzip stream does.
    ///
    /// Throws ``FileError`` if the file cannot be read, is damaged or cut short, or if it or what it inflates to has
    /// more than `limit` bytes: a small hostile file does not exhaust the memory.
    public static func readInflating(_ path: String, limit: Int = usualLimit) throws(FileError) -> [UInt8] {
        let bytes = try read(path, limit: limit)
        return Gzip.isGzip(bytes) ? try Gzip.inflate(bytes, limit: limit, path: path) : bytes
    }
}

/// The system's `read`, which the method above hides.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}
