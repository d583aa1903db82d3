import CPrivacyKernels
import Testing

/// The end of an exact sum: noise and integers become Float32, against Swift's own roundings.
struct FinishGridTests {
    private typealias Finish = (
        _ noise: UnsafePointer<Int32>, Int, _ sum: UnsafeMutablePointer<Int32>?,
        _ carried: UnsafeMutablePointer<Int64>?, _ fine: UnsafeMutablePointer<Int64>?, _ fineFactor: Double,
        _ scale: UnsafePointer<Float>?, _ weights: UnsafePointer<Float>?, _ spacing: Double, UnsafeMutablePointer<Float>
    ) -> Void

    /// The definition, with a rounding for fine sums and a rule for the last product.
    private static func finishing(
        _ rounding: FloatingPointRoundingRule = .toNearestOrEven, clears: Bool = true,
        product: @escaping (Int64, Double) -> Float = { Float(Double($0) * $1) }
    ) -> Finish {
        { noise, count, sum, carried, fine, fineFactor, scale, weights, spacing, out in
            for j in 0..<count {
                var total = Int64(noise[j])
                total += Int64(sum?[j] ?? 0) + (carried?[j] ?? 0)
                if let fine {
                    let scaled = Double(fine[j]) * fineFactor * Double(scale?[j] ?? 1)
                    total += Int64((scaled * Double(weights?[j] ?? 1)).rounded(rounding))
                }
                out[j] = product(total, spacing)
                guard clears else { continue }
                sum?[j] = 0
                carried?[j] = 0
                fine?[j] = 0
            }
        }
    }

    /// The arguments of one call, each either there or not.
    private struct Case {
        let noise: FencedBuffer<Int32>
        let sum: FencedBuffer<Int32>
        let carried, fine: FencedBuffer<Int64>
        let scale, weights, out: FencedBuffer<Float>
        /// A bit for each argument that may be missing.
        let present: Int

        init(_ count: Int, present: Int, fence: Fence, seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            func integers<Integer: FixedWidthInteger & SignedInteger & BitwiseCopyable>(_ most: Integer)
                -> FencedBuffer<Integer>
            {
                FencedBuffer(
                    (0..<count).map { _ in
                        // All sizes, and the largest.
                        generator.next() % 8 == 0
                            ? (generator.next() & 1 == 0 ? most : 0 - most)
                            : Integer.random(in: (0 - most)...most, using: &generator)
                                >> Integer.random(in: 0..<Integer(most.bitWidth - 1), using: &generator)
                    }, fence: fence)
            }
            func factors() -> FencedBuffer<Float> {
                FencedBuffer(
                    (0..<count).map { _ in [1, -1, 0.5, generator.float()].randomElement(using: &generator)! },
                    fence: fence)
            }
            noise = integers(Int32.max)
            sum = integers(Int32.max)
            carried = integers((1 << 51) - 1)
            fine = integers((1 << 51) - 1)
            scale = factors()
            weights = factors()
            out = FencedBuffer([Float](repeating: .nan, count: count), fence: fence)
            self.present = present
        }

        private func given<Pointer>(_ bit: Int, _ pointer: Pointer) -> Pointer? {
            present >> bit & 1 == 1 ? pointer : nil
        }

        /// Everything that a call writes.
        func written(by subject: Finish, fineFactor: Double, spacing: Double) -> [[UInt64]] {
            subject(
                noise.base, noise.count, given(0, sum.base), given(1, carried.base), given(2, fine.base), fineFactor,
                given(3, UnsafePointer(scale.base)), given(4, UnsafePointer(weights.base)), spacing, out.base)
            let sums = [sum.elements.map(Int64.init), carried.elements, fine.elements]
            return [out.elements.bits.map(UInt64.init)] + sums.map { $0.map { UInt64(bitPattern: $0) } }
        }
    }

    private static func failures(of subject: Finish) -> Int {
        var failures = 0
        for fence in Fence.allCases {
            for count in Array(0...40) + [1003] {
                for present in count == 13 || count == 24 ? Array(0..<32) : count > 40 ? [31] : [1, 4, 7, 15, 31] {
                    // Half units are ties; Float32 has no tenth.
                    let numbers = [(0.5, 0x1p-20), (-0x1p-7, 0.1), (0.3, 1e-12 / 3)]
                    let (fineFactor, spacing) = numbers[(count + present) % 3]
                    let seed = UInt64(100 * count + present)
                    let (call, exact) = (
                        Case(count, present: present, fence: fence, seed: seed),
                        Case(count, present: present, fence: fence, seed: seed)
                    )
                    let result = call.written(by: subject, fineFactor: fineFactor, spacing: spacing)
                    let expected = exact.written(by: finishing(), fineFactor: fineFactor, spacing: spacing)
                    if result != expected { failures += 1 }
                }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func totalsAreExactAndRoundedTwice(level: Level) {
        #expect(Self.failures(of: level.kernels.finish_grid) == 0)
    }

    @Test func otherRoundingsAndKeptSumsAreRejected() {
        let inFloat32 = Self.finishing { Float($0) * Float($1) }
        let downward = Self.finishing { total, spacing in
            let exact = Double(total) * spacing
            return Double(Float(exact)) > exact ? Float(exact).nextDown : Float(exact)
        }
        let broken = [
            inFloat32, downward, Self.finishing(.toNearestOrAwayFromZero), Self.finishing(.down),
            Self.finishing(clears: false),
        ]
        for twin in broken { #expect(Self.failures(of: twin) > 50) }
    }
}
