import Foundation
import Testing

@testable import PrivacyMechanisms

@Suite struct BufferedToeplitzStrategyTests {
    /// The optimum of two buffers for the largest error over 10⁵ steps, ten digits of each number.
    static let known = try! BufferedToeplitzStrategy(
        decays: [0.9999528892, 0.9857068667], weights: [0.0122853238, 0.1878393665], steps: 100_000)

    /// The values of the specification: as many digits as ten digits of θ and ω determine.
    @Test func knownValues() {
        let strategy = Self.known
        let norm = strategy.columnNorm
        #expect(abs(norm * norm - 4.16679185) < 1e-6)
        let inverse = strategy.inverse
        #expect(zip(inverse.decays, [0.9991333338, 0.7864017318]).allSatisfy { abs($0 - $1) < 1e-8 })
        #expect(inverse.weights.allSatisfy { $0 < 0 })
        let loss = strategy.squaredErrors(on: .prefixSums).max.squareRoot() * norm
        #expect(abs(loss - 5.296747) < 1e-6)
    }

    /// The square of the column's norm in closed form, with series where powers are near 1.
    @Test func columnNormsHaveAClosedForm() {
        let (theta, omega, n) = (Self.known.decays, Self.known.weights, Double(Self.known.steps))
        var square = 1.0
        for i in theta.indices {
            for j in theta.indices {
                let gap = (1 - theta[i]) + theta[i] * (1 - theta[j])
                square -= omega[i] * omega[j] * expm1((n - 1) * log1p(-gap)) / gap
            }
        }
        let norm = Self.known.columnNorm
        // n roundings, each upward.
        #expect(norm * norm >= square * (1 - 1e-14) && norm * norm <= square * (1 + 1e-10))
    }

    /// The inverse's decays and weights make the coefficients of C⁻¹, and pair back to the weights.
    @Test func theInverseIsOne() throws {
        for strategy in [
            Self.known, try BufferedToeplitzStrategy(decays: [0.9, 0.5, 0.1], weights: [0.1, 0.2, 0.04], steps: 50),
            try BufferedToeplitzStrategy(decays: [0.3], weights: [0.29], steps: 9),
        ] {
            let inverse = strategy.inverse
            let count = min(strategy.steps, 200)
            let expected = (0..<count).map { (index: Int) -> Double in
                if index == 0 { return 1 }
                let power = Double(index - 1)
                return zip(inverse.decays, inverse.weights).reduce(0) { $0 + $1.1 * pow($1.0, power) }
            }
            #expect(zip(strategy.noisingCoefficients(count), expected).allSatisfy { abs($0 - $1) < 1e-12 })
            let back = BufferedToeplitzStrategy.weights(of: strategy.decays, pairedWith: inverse.decays)
            #expect(zip(back, strategy.weights).allSatisfy { abs($0 / $1 - 1) < 1e-9 })
            let interlaced = zip(strategy.decays, inverse.decays).allSatisfy { $0 > $1 && $1 > 0 }
            #expect(interlaced && zip(inverse.decays, strategy.decays.dropFirst()).allSatisfy { $0 > $1 })
        }
    }
}
