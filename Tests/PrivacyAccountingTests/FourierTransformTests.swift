import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct FourierTransformTests {
    @Test(arguments: [16, 24, 40, 48, 512, 1280]) func matchesTheDefinition(length: Int) {
        var random = SeededGenerator(seed: UInt64(length))
        let signal = (0..<length).map { _ in Double.random(in: -1...1, using: &random) }
        let bound = FourierTransform.relativeError(length: length) * signal.reduce(0) { $0 + abs($1) }
        let transform = FourierTransform.ofLength(length)
        var spectrum = transform.forward(signal)
        for k in 0...length / 2 {
            var (re, im) = (0.0, 0.0)
            for (j, value) in signal.enumerated() {
                let angle = -2 * Double.pi * Double(j * k % length) / Double(length)
                re += value * cos(angle)
                im += value * sin(angle)
            }
            #expect(hypot(re - spectrum[2 * k], im - spectrum[2 * k + 1]) <= bound)
        }
        let back = transform.inverse(&spectrum)
        #expect(zip(back, signal).allSatisfy { abs($0 - $1) <= bound })
        // Negative control: the bound is not so wide that a wrong answer would pass.
        #expect(bound < 1e-9)
    }

    @Test func goodLengthsAreLeast() {
        #expect(FourierTransform.goodLength(atLeast: 1) == 16)
        #expect(FourierTransform.goodLength(atLeast: 17) == 24)
        #expect(FourierTransform.goodLength(atLeast: 25) == 32)
        #expect(FourierTransform.goodLength(atLeast: 33) == 40)
        #expect(FourierTransform.goodLength(atLeast: 1 << 16) == 1 << 16)
    }

    /// The binomial distribution as the power of one coin: known to full accuracy.
    @Test func powersMatchTheBinomialDistribution() {
        let (count, length, p) = (100, 128, 0.3)
        var coin = [Double](repeating: 0, count: length)
        coin[0] = 1 - p
        coin[1] = p
        var power = SpectralPower(length: length)
        power.multiply(by: FourierTransform.ofLength(length).forward(coin), count: count)
        let (values, error) = power.inverse()
        #expect(error < 1e-9)
        for k in 0...count {
            let (n, j) = (Double(count), Double(k))
            let exact = exp(logBinomial(n, j) + j * log(p) + (n - j) * log(1 - p))
            #expect(abs(values[k] - exact) <= error + 1e-12 * exact)
        }
    }
}
