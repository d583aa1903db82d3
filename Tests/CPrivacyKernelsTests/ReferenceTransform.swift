import CPrivacyKernels
import Foundation

/// What a kernel or its broken twin does: `count` numbers from ⌈count / 2⌉ blocks.
typealias Gaussian = (_ blocks: UnsafePointer<UInt8>, _ count: Int, _ out: UnsafeMutablePointer<Float>) -> Void

/// The 16 bytes from which one pair of normals is made.
struct Block: BitwiseCopyable {
    // Four words of the same size have no padding: an array of blocks has the bytes that a kernel reads.
    var w0: UInt32
    var w1: UInt32
    var w2: UInt32
    var w3: UInt32

    init(_ w0: UInt32, _ w1: UInt32, _ w2: UInt32, _ w3: UInt32) {
        (self.w0, self.w1, self.w2, self.w3) = (w0, w1, w2, w3)
    }

    init(from generator: inout SeededGenerator) {
        let (first, second) = (generator.next(), generator.next())
        self.init(
            UInt32(truncatingIfNeeded: first), UInt32(first >> 32), UInt32(truncatingIfNeeded: second),
            UInt32(second >> 32))
    }

    /// A block with the given 62-bit radius word, which is odd, in the given half of (0, 1).
    init(radius k: UInt64, upper: Bool, angle: UInt32 = 0, signs: UInt32 = 0) {
        self.init(
            UInt32(truncatingIfNeeded: (k & 0x7fff_ffff) << 1), UInt32(k >> 31) | (upper ? 1 << 31 : 0), angle, signs)
    }

    /// The 62-bit radius word.
    var radius: UInt64 { UInt64(w1 & 0x7fff_ffff) << 31 | UInt64(w0 >> 1 | 1) }

    /// The pair by the formula at the top of `gaussian.h` in Float64, exact to a few 2⁻⁵³.
    var exactPair: (Double, Double) {
        let k = Double(radius)
        let minusLogarithm = w1 >> 31 == 1 ? -log1p(-k * 0x1p-63) : -log(k * 0x1p-63)
        let r = (2 * minusLogarithm).squareRoot()
        let x = Double(Int32(bitPattern: w2) >> 1 | 1) * 0x1p-30 * (Double.pi / 4)
        let near = w3 >> 30 & 1 == 1 ? -r * cos(x) : r * cos(x)
        let far = r * sin(x)
        return w3 >> 31 == 1 ? (far, near) : (near, far)
    }

    /// The textbook's transform in Float32 with 24-bit uniforms, which every check of accuracy has to refuse.
    var plainFloatPair: (Float, Float) {
        let half = (Float(radius >> 39) + 0.5) * 0x1p-24
        let r = (-2 * logf(w1 >> 31 == 1 ? 1 - half : half)).squareRoot()
        let x = Float(Int32(bitPattern: w2) >> 1) * 0x1p-30 * (Float.pi / 4)
        let near = w3 >> 30 & 1 == 1 ? -r * cosf(x) : r * cosf(x)
        let far = r * sinf(x)
        return w3 >> 31 == 1 ? (far, near) : (near, far)
    }
}

extension [Block] {
    /// What `gaussian` makes of all blocks.
    func normals(by gaussian: Gaussian) -> [Float] {
        [Float](unsafeUninitializedCapacity: 2 * count) { out, count in
            withUnsafeBytes { gaussian($0.bindMemory(to: UInt8.self).baseAddress!, out.count, out.baseAddress!) }
            count = out.count
        }
    }

    static func random(_ count: Int, seed: UInt64) -> [Block] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Block(from: &generator) }
    }
}

/// `Block.plainFloatPair` in the form of a kernel.
func plainFloat(blocks: UnsafePointer<UInt8>, count: Int, out: UnsafeMutablePointer<Float>) {
    let blocks = UnsafeRawPointer(blocks)
    for j in 0..<count {
        let pair = blocks.loadUnaligned(fromByteOffset: j / 2 * 16, as: Block.self).plainFloatPair
        out[j] = j % 2 == 0 ? pair.0 : pair.1
    }
}

/// The distance of `value` from `exact` in units of Float32's last place at `exact`.
func ulps(_ value: Float, from exact: Double) -> Double {
    (Double(value) - exact).magnitude / Double(Float(exact).ulp)
}
