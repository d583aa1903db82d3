import Foundation
import Testing
import _TestSupport

@testable import PrivacyMechanisms

/// **Guarantee:** the integers of a banded strategy differ by at most sens·(M(1 + d) + r) between neighbours.
@Suite struct BandedNoiseTests {
    /// The norm of D over all steps, for an example that is in `steps` and adds what `row` says, beside others.
    private static func distance(
        _ strategy: ToeplitzStrategy, steps: [Int], columns: Int, row: (Int) -> [Float]
    ) throws -> (norm: Double, sensitivity: Double) {
        var with = try CorrelatedReleases(
            .bandedToeplitz(strategy), columns: columns, noiseMultiplier: 0x1p-10, seed: 2)
        var without = try CorrelatedReleases(
            .bandedToeplitz(strategy), columns: columns, noiseMultiplier: 0x1p-10, seed: 2)
        var generator = SeededGenerator(seed: 4)
        var differences: [[Double]] = []
        for step in 0..<strategy.steps {
            let others = (0..<2).map { _ in (0..<columns).map { _ in Float.random(in: -0.01...0.01, using: &generator) }
            }
            let a = try with.next(others + (steps.contains(step) ? [row(step)] : []))
            let b = try without.next(others)
            differences.append(zip(a, b).map { $0 - $1 })
        }
        // y = C′x, up to what Float32 keeps of x.
        let rounded = strategy.coefficients.map { ($0 * 0x1p18).rounded() * 0x1p-18 }
        let matrix = try ToeplitzStrategy(coefficients: rounded, steps: strategy.steps).matrix
        let squares = product(matrix, differences).joined().reduce(0) { $0 + $1 * $1 }
        return (squares.squareRoot(), try with.sensitivity)
    }

    @Test(arguments: [[1, 0.5, 0.375], [1, 1 / 3, -0.2, 0.1], [1, 0.9, 0.8, 0.7, 0.6]] as [[Double]])
    func neighboursAreAsFarApartAsTheNoiseIsFor(_ coefficients: [Double]) throws {
        let strategy = try ToeplitzStrategy(coefficients: coefficients, steps: 12)
        let columns = 256
        let value = Float(1 / Double(columns).squareRoot())
        for (steps, separation) in [([3], 12), ([0, 5], 5), ([0, 2, 4, 6, 8, 10], 2), (Array(0..<12), 1)] {
            let signs: [@Sendable (Int) -> Float] = [{ _ in 1 }, { $0.isMultiple(of: 4) ? 1 : -1 }]
            for sign in signs {
                let (norm, sensitivity) = try Self.distance(strategy, steps: steps, columns: columns) {
                    [Float](repeating: sign($0) * value, count: columns)
                }
                let bound = strategy.sensitivity(participations: steps.count, separation: separation, steps: 12)
                let d = coefficients.reduce(0) { $0 + abs($1 - ($1 * 0x1p18).rounded() * 0x1p-18) }
                let r = Double(coefficients.count * columns).squareRoot()
                // What Float32 loses of x: 2⁻²⁴ of at most 64·M in each of 12 × 256 numbers, times Σ|c|.
                let lost = 0x1p-24 * 64 * sensitivity * 3072.squareRoot() * coefficients.reduce(0) { $0 + abs($1) }
                #expect(norm <= bound * (sensitivity * (1 + d) + r) + lost)
                // Not far below: the twin that counts one participation for all of them, b coefficients without n, is
                // caught.
                if steps.count > 2, coefficients.allSatisfy({ $0 > 0 }), sign(2) == sign(0) {
                    let twin = strategy.sensitivity(participations: 1, separation: 1, steps: 12)
                    #expect(norm > twin * (sensitivity * (1 + d) + r) + lost)
                }
            }
        }
    }

    /// What is released is q + C⁻¹(ξ + rounding): the sums come through.
    @Test func sumsComeThrough() throws {
        let strategy = try ToeplitzStrategy(coefficients: [1, 0.7, 0.4], steps: 8)
        func releases(_ rows: [[Float]]) throws -> [[Double]] {
            var run = try CorrelatedReleases(.bandedToeplitz(strategy), columns: 4, noiseMultiplier: 0x1p-6, seed: 9)
            return try (0..<8).map { _ in try run.next(rows) }
        }
        let run = try CorrelatedReleases(.bandedToeplitz(strategy), columns: 4, noiseMultiplier: 0x1p-6)
        let unit = try run.unit
        for (with, without) in zip(try releases([[0.5, -0.5, 0.25, 0]]), try releases([])) {
            for (difference, value) in zip(zip(with, without).map { $0 - $1 }, [0.5, -0.5, 0.25, 0]) {
                // Roundings of y go through C⁻¹, whose rows sum to less than 4; Float32 keeps 24 bits.
                #expect(abs(difference * unit - value) <= 4 * unit + 0x1p-22)
            }
        }
    }
}
