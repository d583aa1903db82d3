import CPrivacyKernels
import PrivacyMechanisms
import Testing

/// The keystream seen through the noise that is made of it: numbers equal the transform of AES-128 blocks computed
/// here from the key.
struct KeyStreamTests {
    /// The first 16 bytes of SHA-256 of "swift-private-training seeded noise" and the seed in 8 little-endian bytes,
    /// computed with Python's hashlib.
    private static let keys: [(seed: UInt64, key: String)] = [
        (0, "4cea76f00c4d8f31934047fea0ecadd7"),
        (1, "65e9d55228cf219ebf5e82bd18b49f26"),
        (2024, "5b382e975838709431047e301f812f76"),
    ]

    private static func normals(_ bytes: [UInt8]) -> [UInt32] {
        var numbers = [Float](repeating: .nan, count: bytes.count / 8)
        dpk_kernels_at(DPK_PORTABLE)!.pointee.gaussian(bytes, numbers.count, &numbers)
        return numbers.map(\.bitPattern)
    }

    private static func noise(seed: UInt64, skipping: Int = 0, count: Int) -> [UInt32] {
        var noise = GaussianNoise(nonPrivateSeed: seed)
        var numbers = [Float](repeating: .nan, count: skipping + count)
        numbers.withUnsafeMutableBufferPointer { buffer in
            for range in [0..<skipping, skipping..<skipping + count] {
                var span = buffer.extracting(range).mutableSpan
                noise.fill(&span)
            }
        }
        return numbers[skipping...].map(\.bitPattern)
    }

    @Test func theReferenceGivesThePublishedVectors() {
        // FIPS 197, appendix C.1.
        let example = ReferenceAES128(key: [UInt8](hex: "000102030405060708090a0b0c0d0e0f"))
        #expect(
            example.encrypt([UInt8](hex: "00112233445566778899aabbccddeeff"))
                == [UInt8](hex: "69c4e0d86a7b0430d8cdb78070b4c55a"))
        // NIST SP 800-38A, F.5.1, the first output block of CTR-AES128.
        let counter = ReferenceAES128(key: [UInt8](hex: "2b7e151628aed2a6abf7158809cf4f3c"))
        #expect(
            counter.encrypt([UInt8](hex: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"))
                == [UInt8](hex: "ec8cdf7398607cb0f2d21675ea9ea1e4"))
        // openssl enc -aes-128-ctr of zeros, from counter 0 and from counter 5000 on.
        let seeded = ReferenceAES128(key: [UInt8](hex: Self.keys[2].key))
        #expect(
            seeded.keystream(blocks: 0..<3)
                == [UInt8](
                    hex: """
                        549c0dfb191660a5767ca08303637df98cb2658411c45076e6454e635e5e92139f31e534da6297d038000fdf9d5f165e
                        """))
        #expect(seeded.keystream(blocks: 5000..<5001) == [UInt8](hex: "74ae39b626622541f60ca49d8e8afe08"))
    }

    @Test(arguments: keys)
    func numbersAreMadeOfTheKeystream(seed: UInt64, key: String) {
        let aes = ReferenceAES128(key: [UInt8](hex: key))
        let expected = Self.normals(aes.keystream(blocks: 0..<300))
        #expect(Self.noise(seed: seed, count: 600) == expected)
        // Controls: another seed, and a stream that is one block on.
        #expect(Self.noise(seed: seed + 1, count: 600) != expected)
        #expect(Self.noise(seed: seed, skipping: 2, count: 600) != expected)
    }

    @Test func theKeystreamGoesOnAcrossChunksAndCalls() {
        // Chunks have 4096 blocks, so block 4096 begins the second one, or lies within one after a skip.
        let aes = ReferenceAES128(key: [UInt8](hex: Self.keys[0].key))
        let expected = Self.normals(aes.keystream(blocks: 4090..<4110))
        #expect(Self.noise(seed: 0, count: 8220).suffix(40) == expected[...])
        #expect(Self.noise(seed: 0, skipping: 8180, count: 40) == expected)
        #expect(Self.noise(seed: 0, skipping: 6000, count: 2220).suffix(40) == expected[...])
        // Control: the last block again instead of the next one.
        #expect(Self.noise(seed: 0, skipping: 8178, count: 40) != expected)
    }
}
