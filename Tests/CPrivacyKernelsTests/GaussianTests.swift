import CPrivacyKernels
import Testing

/// What the two Gaussian kernels promise about counts, memory and bits.
struct GaussianTests {
    private static let counts = Array(0...50) + [4095, 4096, 4097]

    /// Calls the kernel with exactly the blocks that `count` numbers need; one byte more is out of reach.
    private static func run(_ level: Level, _ blocks: [Block], count: Int, into out: FencedBuffer<Float>) -> [UInt32] {
        let bytes = FencedBuffer(blocks.prefix((count + 1) / 2).withUnsafeBytes { Array($0) })
        withExtendedLifetime(bytes) { level.kernels.gaussian(bytes.base, count, out.base) }
        return out.elements.bits
    }

    @Test(arguments: Level.available)
    func everyCountTakesAPrefixAndNothingElse(level: Level) {
        let blocks = [Block].random(2100, seed: 11)
        let all = blocks.normals(by: Level.portable.kernels.gaussian)
        for count in Self.counts {
            for fence in Fence.allCases {
                let out = FencedBuffer([Float](repeating: -7, count: count), fence: fence)
                #expect(Self.run(level, blocks, count: count, into: out) == all.prefix(count).bits)
            }
            // One number fewer leaves the last element alone.
            guard count > 0 else { continue }
            let out = FencedBuffer([Float](repeating: -7, count: count))
            let bits = Self.run(level, blocks, count: count - 1, into: out)
            #expect(bits == all.prefix(count - 1).bits + [Float(-7).bitPattern])
        }
    }

    @Test(arguments: Level.available)
    func blocksAndNumbersNeedNoAlignment(level: Level) {
        let blocks = [Block].random(100, seed: 12)
        let expected = blocks.normals(by: Level.portable.kernels.gaussian).bits
        for shift in 0..<16 {
            let bytes = [UInt8](repeating: 0, count: shift) + blocks.withUnsafeBytes { Array($0) }
            var out = [Float](repeating: 0, count: 200 + shift)
            bytes.withUnsafeBufferPointer { bytes in
                out.withUnsafeMutableBufferPointer {
                    level.kernels.gaussian(bytes.baseAddress! + shift, 200, $0.baseAddress! + shift)
                }
            }
            #expect(out.dropFirst(shift).bits == expected)
        }
    }

    @Test(arguments: Level.available)
    func levelsAgreeToTheBit(level: Level) {
        let blocks = [Block].random(1 << 18, seed: 13)
        let expected = blocks.normals(by: Level.portable.kernels.gaussian).bits
        #expect(blocks.normals(by: level.kernels.gaussian).bits == expected)
        // Control: the exact transform rounded once is a different function.
        #expect(blocks.flatMap { [Float($0.exactPair.0), Float($0.exactPair.1)] }.bits != expected)
    }

    @Test func everyUsedBitCountsAndNoOther() {
        let unused: [UInt32] = [0b11, 0, 0b11, 0x3fff_ffff]
        // A radius near the top of the upper half, and a small angle: there the last bits survive Float32.
        let block = Block(0x5555_5554, 0x8000_0000, 0x0000_0154, 0x4000_0000)
        func changed(word: Int, bit: Int) -> Bool {
            var words = [block.w0, block.w1, block.w2, block.w3]
            words[word] ^= 1 << bit
            let other = Block(words[0], words[1], words[2], words[3])
            let gaussian = Level.portable.kernels.gaussian
            return [other].normals(by: gaussian).bits != [block].normals(by: gaussian).bits
        }
        for word in 0..<4 {
            for bit in 0..<32 where unused[word] >> bit & 1 == 1 { #expect(!changed(word: word, bit: bit)) }
        }
        for bit in 8..<32 { #expect(changed(word: 0, bit: bit)) }
        for bit in 0..<32 { #expect(changed(word: 1, bit: bit)) }
        for bit in 2..<32 { #expect(changed(word: 2, bit: bit)) }
        for bit in 30..<32 { #expect(changed(word: 3, bit: bit)) }
    }
}

private typealias AddGaussian = (
    _ blocks: UnsafePointer<UInt8>, _ count: Int, _ sum: UnsafePointer<Double>, _ factor: Double,
    _ post: UnsafePointer<Float>?, _ sigma: Double, _ out: UnsafeMutablePointer<Float>
) -> Void

struct AddGaussianTests {
    /// How many of the results differ in any bit from sum · factor (· post) + sigma · z, from left to right in Float64.
    private static func failures(of subject: AddGaussian) -> Int {
        let blocks = [Block].random(2100, seed: 14)
        let normals = blocks.normals(by: Level.portable.kernels.gaussian)
        var generator = SeededGenerator(seed: 15)
        var failures = 0
        for count in Array(0...50) + [4097] {
            let bytes = FencedBuffer(blocks.prefix((count + 1) / 2).withUnsafeBytes { Array($0) })
            for (factor, sigma) in [(1, 1), (0.1, 0.7), (-3, 1e-3), (1 / 3.0, 0), (0, 2), (0x1p-140, 0x1p-140)] {
                let sum = FencedBuffer((0..<count).map { _ in Double.random(in: -8...8, using: &generator) })
                let post = FencedBuffer((0..<count).map { _ in generator.float(exponents: -3...3) })
                for post in [nil, post] {
                    let out = FencedBuffer([Float](repeating: .nan, count: count))
                    defer { withExtendedLifetime((bytes, sum, post, out)) {} }
                    subject(bytes.base, count, sum.base, factor, post.map { UnsafePointer($0.base) }, sigma, out.base)
                    for j in 0..<count {
                        var total = sum.base[j] * factor
                        if let post { total *= Double(post.base[j]) }
                        total += sigma * Double(normals[j])
                        if out.base[j].bitPattern != Float(total).bitPattern { failures += 1 }
                    }
                }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func sumsAreThoseOfFloat64RoundedOnce(level: Level) {
        #expect(Self.failures(of: level.kernels.add_gaussian) == 0)
    }

    @Test func bitsRejectFloat32ArithmeticAndNoiseThatIsScaledToo() {
        let inFloat: AddGaussian = { blocks, count, sum, factor, post, sigma, out in
            Level.portable.kernels.gaussian(blocks, count, out)
            for j in 0..<count { out[j] = Float(sum[j] * factor * Double(post?[j] ?? 1)) + Float(sigma) * out[j] }
        }
        // Control: the scale after the noise instead of before it.
        let noiseScaled: AddGaussian = { blocks, count, sum, factor, post, sigma, out in
            Level.portable.kernels.gaussian(blocks, count, out)
            for j in 0..<count {
                out[j] = Float((sum[j] * factor + sigma * Double(out[j])) * Double(post?[j] ?? 1))
            }
        }
        #expect(Self.failures(of: inFloat) > 1000)
        #expect(Self.failures(of: noiseScaled) > 1000)
    }
}
