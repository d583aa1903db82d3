import CPrivacyKernels
import Foundation
import Testing

/// The distribution of the radius, computed from the kernel by counting radius words instead of drawing them.
///
/// The radius falls with the radius word k on the lower side of (0, 1) and grows with it on the upper side. So the
/// word at which it crosses t, found by bisection, gives the probability of either side of t among all 2⁶² values.
struct GaussianTailTests {
    private static let angle: UInt32 = 0x5a5a_5a5a

    private static func radius(_ k: UInt64, upper: Bool, by gaussian: Gaussian) -> Double {
        let pair = [Block(radius: k, upper: upper, angle: angle)].normals(by: gaussian).map { Double($0) }
        return (pair[0] * pair[0] + pair[1] * pair[1]).squareRoot()
    }

    /// The number of odd radius words below the one from which on `condition` does not hold any more.
    private static func crossing(_ condition: (UInt64) -> Bool) -> UInt64 {
        var (low, high) = (UInt64(0), UInt64(1) << 61)
        while low < high {
            let middle = low + (high - low) / 2
            if condition(2 * middle + 1) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// How far P(r > t) by the kernel is from exp(-t²/2), in units of what the kernel's error and the resolution allow.
    ///
    /// Each component is off by less than 4 ulp, so the radius by 4·2⁻²³ relative, and the probability by t² times
    /// that; a step of the radius word is 2⁻⁶².
    private static func tailError(_ t: Double, by gaussian: Gaussian) -> Double {
        let found = Double(crossing { radius($0, upper: false, by: gaussian) > t }) * 0x1p-62
        let expected = exp(-t * t / 2)
        return (found - expected).magnitude / (expected * t * t * 4 * 0x1p-23 + 0x1p-62)
    }

    /// The same for P(r < t) and 1 - exp(-t²/2), whose relative change is at most twice that of t.
    private static func centreError(_ t: Double, by gaussian: Gaussian) -> Double {
        let found = Double(crossing { radius($0, upper: true, by: gaussian) < t }) * 0x1p-62
        let expected = -expm1(-t * t / 2)
        return (found - expected).magnitude / (expected * 2 * 4 * 0x1p-23 + 0x1p-62)
    }

    @Test(arguments: Level.available)
    func largeValuesOccurWithTheirProbability(level: Level) {
        for t in [1.25, 2, 3, 4, 5, 6, 6.5, 7, 8, 9] {
            #expect(Self.tailError(t, by: level.kernels.gaussian) < 1)
        }
        for t in [1e-6, 1e-3, 0.1, 0.5, 1, 1.125] {
            #expect(Self.centreError(t, by: level.kernels.gaussian) < 1)
        }
    }

    @Test(arguments: Level.available)
    func smallRadiusWordsGiveValuesBeyondSixAndAHalf(level: Level) {
        // exp(-6.5²/2) = 6.7·10⁻¹⁰ of the lower words: those below 2³² are well within.
        let blocks = (0..<32).map {
            Block(radius: 1 << $0 | 1, upper: false, angle: 0, signs: $0 % 2 == 0 ? 0 : 1 << 30)
        }
        let normals = blocks.normals(by: level.kernels.gaussian)
        for index in blocks.indices {
            let value = normals[2 * index]
            #expect(value.magnitude > 6.5 && (value < 0) == (index % 2 == 1))
        }
        #expect(normals[0] > 9.345)
    }

    @Test func theCheckRejectsATailThatEnds() {
        // 24 bits end below 6.
        let largest = [Block(radius: 1, upper: false)].normals(by: plainFloat)[0]
        #expect(largest < 6)
        for t in [6.5, 7, 8] { #expect(Self.tailError(t, by: plainFloat) > 1000) }
        // Only twelve radius words lie beyond 9, and the allowance is one of them.
        #expect(Self.tailError(9, by: plainFloat) > 10)
        for t in [1e-6, 1e-3] { #expect(Self.centreError(t, by: plainFloat) > 1000) }
    }

    @Test func theCheckRejectsAWrongScale() {
        // Control: numbers too large by 2⁻¹⁶ of themselves, which no histogram would show.
        let stretched: Gaussian = { blocks, count, out in
            Level.portable.kernels.gaussian(blocks, count, out)
            for j in 0..<count { out[j] *= 1 + 0x1p-16 }
        }
        #expect([2, 4, 6.5, 8].allSatisfy { Self.tailError($0, by: stretched) > 1 })
    }
}
