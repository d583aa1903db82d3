import CZlib
import Requirements

/// Inflates what zlib's deflate made: streams that follow each other, one at each call.
struct Inflater: ~Copyable {
    /// What is around a stream.
    enum Container: Int32 {
        /// A gzip member's header and checksum (RFC 1952).
        case gzip = 31
        /// Nothing (RFC 1951).
        case none = -15
    }

    enum Problem: Error, Equatable {
        /// The input ends before the stream does.
        case truncated
        /// There is more output than allowed.
        case tooLong
        /// The stream is damaged before so many bytes of the input.
        case damaged(offset: Int, reason: String)
    }

    /// zlib remembers the address of its stream, which therefore must not be that of a Swift variable.
    private let stream: UnsafeMutablePointer<z_stream>
    private let chunk: UnsafeMutableBufferPointer<UInt8>

    init(_ container: Container) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        chunk = .allocate(capacity: 1 << 18)
        let status = inflateInit2_(stream, container.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        require(status == Z_OK, "zlib cannot be initialized: it answers \(status).")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        chunk.deallocate()
    }

    /// Appends to `output` what the stream at the beginning of `input` inflates to, and returns how many bytes of the
    /// input the stream has. Throws as soon as `output` would have more than `limit` bytes.
    mutating func inflate(
        _ input: UnsafeBufferPointer<UInt8>, into output: inout [UInt8], limit: Int
    ) throws(Problem) -> Int {
        inflateReset(stream)
        var consumed = 0
        while true {
            // zlib counts in 32 bits.
            let offered = min(input.count - consumed, 1 << 30)
            // It only reads from there.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { $0 + consumed })
            stream.pointee.avail_in = uInt(offered)
            stream.pointee.next_out = chunk.baseAddress
            stream.pointee.avail_out = uInt(chunk.count)
            let status = CZlib.inflate(stream, Z_NO_FLUSH)
            consumed += offered - Int(stream.pointee.avail_in)
            let produced = chunk.count - Int(stream.pointee.avail_out)
            guard produced <= limit - output.count else { throw .tooLong }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: chunk[..<produced]))
            switch status {
            case Z_STREAM_END: return consumed
            case Z_OK: break
            // Nothing could be read or written, though there was room: the input has ended.
            case Z_BUF_ERROR: throw .truncated
            default:
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib answers \(status)"
                throw .damaged(offset: consumed, reason: reason)
            }
        }
    }
}
