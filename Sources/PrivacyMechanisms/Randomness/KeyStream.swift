import Crypto
import CryptoExtras
import Foundation
import Requirements

/// An AES-128 keystream in counter mode, read from any place: block i of domain d is AES(key, d ‖ i), d and i being
/// big-endian numbers of 64 bits.
///
/// Domain 0 is that of floating-point noise, 4·2⁵⁶ that of discrete noise, 6·2⁵⁶ that of correlated noise, 7·2⁵⁶ that
/// of keys, and sampling takes those from 2⁵⁶ up to 4·2⁵⁶ and from 5·2⁵⁶ up to 6·2⁵⁶, so that even under one key no
/// block serves two purposes.
struct KeyStream: Sendable, Equatable {
    /// Long enough to hide the setting-up of the key, short enough to stay in the second-level cache with its output.
    static let blocksPerChunk = 4096

    /// The domain of discrete noise.
    static let discreteNoise: UInt64 = 4 << 56

    /// The domain of noise that is combined over steps.
    static let correlatedNoise: UInt64 = 6 << 56

    /// The domain of other keys.
    private static let keys: UInt64 = 7 << 56

    private let key: SymmetricKey

    /// A key from the operating system's random generator.
    init() {
        key = SymmetricKey(size: .bits128)
    }

    /// A key derived from a seed by SHA-256. Whoever knows the seed knows the stream.
    init(nonPrivateSeed seed: UInt64) {
        var hash = SHA256()
        hash.update(data: Data("swift-private-training seeded noise".utf8))
        withUnsafeBytes(of: seed.littleEndian) { hash.update(bufferPointer: $0) }
        key = SymmetricKey(data: Data(hash.finalize().prefix(16)))
    }

    /// The stream of a key of 16 bytes that was taken from ``keyBytes``.
    init(keyBytes: [UInt8]) {
        require(keyBytes.count == 16, "An AES-128 key has 16 bytes, not \(keyBytes.count).")
        key = SymmetricKey(data: keyBytes)
    }

    /// The key itself: whoever has it knows the stream.
    var keyBytes: [UInt8] { key.withUnsafeBytes { Array($0) } }

    /// The stream of another key, number `index` ≥ 0 of those that follow from this one.
    ///
    /// **Guarantee:** as far as AES-128 is a pseudo-random function, streams of different numbers are independent of
    /// each other and of this one.
    func derived(_ index: Int) -> KeyStream {
        withBlocks(from: UInt64(index), count: 1, domain: Self.keys) {
            KeyStream(keyBytes: Array(UnsafeBufferPointer(start: $0, count: 16)))
        }
    }

    /// Calls `body` with `count` blocks of `domain` from block `first` on. At most `blocksPerChunk` at a time.
    func withBlocks<Result>(
        from first: UInt64, count: Int, domain: UInt64 = 0, _ body: (UnsafePointer<UInt8>) -> Result
    ) -> Result {
        require(
            count > 0 && count <= Self.blocksPerChunk,
            "\(count) blocks were asked for; a chunk has 1 to \(Self.blocksPerChunk).")
        do {
            let counter = [domain.bigEndian, first.bigEndian].withUnsafeBytes { Array($0) }
            let nonce = try AES._CTR.Nonce(nonceBytes: counter)
            let stream = try AES._CTR.encrypt(Self.zeros.prefix(count * 16), using: key, nonce: nonce)
            return stream.withUnsafeBytes { body($0.bindMemory(to: UInt8.self).baseAddress!) }
        } catch {
            fail("AES-128 in counter mode refused a 16-byte counter or a 16-byte key: \(error)")
        }
    }

    private static let zeros = Data(count: blocksPerChunk * 16)
}
