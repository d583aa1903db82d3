import CZlib
import Requirements

/// The gzip format (RFC 1952).
enum Gzip {
    /// Whether `bytes` begin with the format's two magic bytes.
    static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b }

    /// What all members of the stream inflate to, one after the other.
    ///
    /// Throws ``FileError`` with `path` if the stream is damaged or cut short, if anything but a further member follows
    /// a member, or as soon as there are more than `limit` bytes.
    static func inflate(_ bytes: [UInt8], limit: Int, path: String) throws(FileError) -> [UInt8] {
        // zlib remembers the address of its stream, which therefore must not be that of a Swift variable.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        let onlyGzip: Int32 = 15 + 16
        let status = inflateInit2_(stream, onlyGzip, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        require(status == Z_OK, "zlib cannot be initialized: it answers \(status).")
        defer { inflateEnd(stream) }

        let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        defer { input.deallocate() }
        _ = input.initialize(from: bytes)
        let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 18)
        defer { chunk.deallocate() }

        var output: [UInt8] = []
        var consumed = 0
        var isInMember = false
        while isInMember || consumed < input.count {
            // zlib counts in 32 bits.
            let offered = min(input.count - consumed, 1 << 30)
            stream.pointee.next_in = input.baseAddress.map { $0 + consumed }
            stream.pointee.avail_in = uInt(offered)
            stream.pointee.next_out = chunk.baseAddress
            stream.pointee.avail_out = uInt(chunk.count)
            let status = CZlib.inflate(stream, Z_NO_FLUSH)
            consumed += offered - Int(stream.pointee.avail_in)
            let produced = chunk.count - Int(stream.pointee.avail_out)
            guard produced <= limit - output.count else { throw .tooLarge(path: path, limit: limit) }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: chunk[..<produced]))
            switch status {
            case Z_STREAM_END:
                isInMember = false
                inflateReset(stream)
            case Z_OK:
                isInMember = true
            case Z_BUF_ERROR:
                // Nothing could be read or written, though there was room: the input has ended.
                throw .truncatedGzip(path: path)
            default:
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib answers \(status)"
                throw .damagedGzip(path: path, offset: consumed, reason: reason)
            }
        }
        return output
    }
}
