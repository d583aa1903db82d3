/// The gzip format (RFC 1952).
enum Gzip {
    /// Whether `bytes` begin with the format's two magic bytes.
    static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b }

    /// What all members of the file inflate to, one after the other. Zeros after the last one are padding, as `gzip`
    /// takes them.
    ///
    /// Throws ``FileError`` with `path` if the file is damaged or cut short, if anything but a further member or zeros
    /// follows a member, or as soon as there are more than `limit` bytes.
    static func inflate(_ bytes: [UInt8], limit: Int, path: String) throws(FileError) -> [UInt8] {
        try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
            var inflater = Inflater(.gzip)
            var output: [UInt8] = []
            var position = 0
            repeat {
                let rest = UnsafeBufferPointer(rebasing: bytes[position...])
                do throws(Inflater.Problem) {
                    position += try inflater.inflate(rest, into: &output, limit: limit)
                } catch {
                    switch error {
                    case .truncated: throw .truncatedGzip(path: path)
                    case .tooLong: throw .tooLarge(path: path, limit: limit)
                    case .damaged(let offset, let reason):
                        throw .damagedGzip(path: path, offset: position + offset, reason: reason)
                    }
                }
                if position < bytes.count, bytes[position] == 0 {
                    guard let other = bytes[position...].firstIndex(where: { $0 != 0 }) else { return output }
                    throw .damagedGzip(path: path, offset: other, reason: "data after the padding")
                }
            } while position < bytes.count
            return output
        }
    }
}
