import CPrivacyKernels
import Foundation
import Testing

struct GaussianAccuracyTests {
    /// The bound that `gaussian.h` promises.
    private static let bound = 4.0

    /// The largest error of each block's two numbers.
    private static func errors(of gaussian: Gaussian, on blocks: [Block]) -> [Double] {
        let normals = blocks.normals(by: gaussian)
        return blocks.indices.map {
            let exact = blocks[$0].exactPair
            // Written so that NaN counts as an error without bound.
            let pair = [ulps(normals[2 * $0], from: exact.0), ulps(normals[2 * $0 + 1], from: exact.1)]
            return pair.contains(where: \.isNaN) ? .infinity : max(pair[0], pair[1])
        }
    }

    /// Words next to every seam of the transform, in all combinations.
    private static let adversarial: [Block] = {
        // √½ is where the exponent of u changes, 2³¹ where the fields of the radius meet.
        let root = UInt64(0.5.squareRoot() * 0x1p62)
        let lowerSeams: [UInt64] = [
            root, root / 2, 1 << 61, 1 << 60, 1 << 31, 1 << 38, 1 << 55, 1 << 24, 1 << 1, 1 << 62,
        ]
        let seams = lowerSeams + [(1 << 62) - root / 2 - 1, UInt64((1 - 0.5.squareRoot()) * 0x1p63)]
        var radii: Set<UInt64> = []
        for seam in seams {
            for step in [0, 1, 2, 3, 1 << 8, 1 << 31, 1 << 38, 1 << 39] as [UInt64] {
                for radius in [seam &+ step, seam &- step] where radius > 0 && radius < 1 << 62 {
                    radii.insert(radius | 1)
                }
            }
        }
        let angles: [UInt32] = [
            0, 1, 2, 3, 4, 7, 8, 0x80, 0x0100_0000, 0x0200_0003, 0x3fff_ffff, 0x4000_0000, 0x7fff_ff7f, 0x7fff_ffff,
            0x8000_0000, 0x8000_0001, 0x8000_0002, 0xc000_0000, 0xfdff_ffff, 0xffff_fff0, 0xffff_fffd, 0xffff_ffff,
        ]
        let signs: [UInt32] = [0, 1 << 30, 1 << 31, 3 << 30, 0x3fff_ffff, 0xffff_ffff]
        return radii.sorted().flatMap { radius in
            [false, true].flatMap { upper in
                angles.flatMap { angle in
                    signs.map { Block(radius: radius, upper: upper, angle: angle, signs: $0) }
                }
            }
        }
    }()

    @Test(arguments: Level.available)
    func randomBlocksStayWithinFourUlps(level: Level) {
        var (largest, sum) = (0.0, 0.0)
        for batch in UInt64(0)..<32 {
            let errors = Self.errors(of: level.kernels.gaussian, on: .random(1 << 16, seed: batch))
            largest = max(largest, errors.max()!)
            sum += errors.reduce(0, +)
        }
        // 2²¹ blocks. Rounding once costs up to ½ ulp, so a mean below ¼ would mean that the check sees too little.
        #expect(largest < Self.bound)
        #expect(sum * 0x1p-21 > 0.25)
    }

    @Test(arguments: Level.available)
    func adversarialBlocksStayWithinFourUlps(level: Level) {
        #expect(Self.adversarial.count > 10_000)
        #expect(Self.errors(of: level.kernels.gaussian, on: Self.adversarial).max()! < Self.bound)
    }

    @Test(arguments: Level.available)
    func theWorstRadiiMeetTheWorstAngles(level: Level) {
        // At angle 0 the nearer component is the radius itself; at a radius of about √2, angles show their own error.
        let random = [Block].random(1 << 17, seed: 100)
        func worst(_ blocks: [Block]) -> [Block] {
            let errors = Self.errors(of: level.kernels.gaussian, on: blocks)
            return blocks.indices.sorted { errors[$0] > errors[$1] }.prefix(150).map { blocks[$0] }
        }
        let radii = worst(random.map { Block($0.w0, $0.w1, 0, 0) })
        let angles = worst(random.map { Block(0, 0x3000_0000, $0.w2, $0.w3) })
        let crossed = radii.flatMap { radius in angles.map { Block(radius.w0, radius.w1, $0.w2, $0.w3) } }
        #expect(Self.errors(of: level.kernels.gaussian, on: crossed).max()! < Self.bound)
    }

    @Test func theBoundRejectsThePlainTransform() {
        let random = Self.errors(of: plainFloat, on: .random(1 << 16, seed: 0))
        #expect(random.count { $0 >= Self.bound } > 1 << 12)
        #expect(Self.errors(of: plainFloat, on: Self.adversarial).max()! >= Self.bound)
    }

    @Test func theReferenceAgreesWithNumbersComputedBeforehand() {
        // mpmath with 60 digits; k = 2⁶¹ + 1 gives the quarters.
        let cases: [(Block, Double, Double)] = [
            (Block(radius: 1, upper: false), 9.3454023321927188679, 6.8357790148951034264e-9),
            (Block(radius: 1, upper: true), 4.656612873077392577e-10, 3.4061215800865545891e-19),
            (Block(radius: 1 << 61 | 1, upper: false), 1.665109222315395512, 1.2179591926398361919e-9),
            (Block(radius: 1 << 61 | 1, upper: true), 0.75852761644093213257, 5.5483188185743262431e-10),
        ]
        for (block, near, far) in cases {
            #expect((block.exactPair.0 / near - 1).magnitude < 0x1p-50)
            #expect((block.exactPair.1 / far - 1).magnitude < 0x1p-50)
        }
    }

    @Test(arguments: Level.available)
    func noNumberIsZero(level: Level) {
        let normals = Self.adversarial.normals(by: level.kernels.gaussian)
        #expect(normals.allSatisfy { $0 != 0 && $0.isFinite })
        // Control: the sine of angle 0 would be.
        #expect(!Self.adversarial.normals(by: plainFloat).allSatisfy { $0 != 0 })
    }
}
