import Testing
import _TestSupport

@testable import PrivacyMechanisms

/// Strategies of seven steps, of every kind, and what is claimed of them.
struct SmallStrategy: CustomTestStringConvertible {
    let name: String
    let strategy: any NoiseStrategy
    /// Whether sensitivities are exact for any participation, and not only for one or for columns that do not overlap.
    let isMonotone: Bool
    /// Whether no entry is negative, so that epochs have exact sensitivities.
    let isNonnegative: Bool

    init(_ name: String, _ strategy: any NoiseStrategy, isMonotone: Bool = false, isNonnegative: Bool = false) {
        (self.name, self.strategy) = (name, strategy)
        (self.isMonotone, self.isNonnegative) = (isMonotone, isMonotone || isNonnegative)
    }

    var testDescription: String { name }

    static let steps = 7

    static let all: [SmallStrategy] = {
        var generator = SeededGenerator(seed: 5)
        func number(_ range: ClosedRange<Double> = -1...1) -> Double { .random(in: range, using: &generator) }
        func toeplitz(_ coefficients: [Double]) -> any NoiseStrategy {
            try! ToeplitzStrategy(coefficients: coefficients, steps: steps)
        }
        func inverse(_ coefficients: [Double]) -> any NoiseStrategy {
            try! BandedInverseStrategy(noisingCoefficients: coefficients, steps: steps)
        }
        func dense(bands: Int, _ range: ClosedRange<Double>) -> [[Double]] {
            (0..<steps).map { row in
                (0...row).map { $0 == row ? number(0.5...1) : row - $0 < bands ? number(range) : 0 }
            }
        }
        let whole = dense(bands: 7, -1...1)
        return [
            SmallStrategy("identity", try! IdentityStrategy(steps: steps), isMonotone: true),
            SmallStrategy("optimal", try! ToeplitzStrategy.optimalForOneParticipation(steps: steps), isMonotone: true),
            SmallStrategy("three bands", toeplitz([1, 0.6, 0.3]), isMonotone: true),
            SmallStrategy("constant", toeplitz([1, 1, 1, 1, 1, 1, 1]), isMonotone: true),
            SmallStrategy("rising", toeplitz([1, 0.2, 0.9, 0.1]), isNonnegative: true),
            SmallStrategy("above 1", toeplitz([1, 3]), isNonnegative: true),
            SmallStrategy("late", toeplitz([1, 0, 0, 0, 2]), isNonnegative: true),
            SmallStrategy("alternating", toeplitz([1, -0.7, 0.5, -0.3])),
            SmallStrategy("any signs", toeplitz([1] + (1..<7).map { _ in number() })),
            SmallStrategy("bisr", try! BandedInverseStrategy.bisr(terms: 4, steps: steps), isMonotone: true),
            SmallStrategy("lambda", try! BandedInverseStrategy.lambdaCGD(0.9, steps: steps), isMonotone: true),
            SmallStrategy("differences", try! BandedInverseStrategy.lambdaCGD(1, steps: steps), isMonotone: true),
            SmallStrategy("gap", inverse([1, 0, -0.9]), isNonnegative: true),
            SmallStrategy("added noise", inverse([1, 0.5, -0.3])),
            SmallStrategy(
                "two buffers",
                try! BufferedToeplitzStrategy(decays: [0.95, 0.5], weights: [0.2, 0.3], steps: steps),
                isMonotone: true),
            SmallStrategy("dense", try! DenseStrategy(rows: whole)),
            SmallStrategy("dense, no signs", try! DenseStrategy(rows: dense(bands: 7, 0...1)), isNonnegative: true),
            SmallStrategy("dense, two bands", try! DenseStrategy(rows: dense(bands: 2, -1...1))),
            SmallStrategy("dense, unit columns", try! DenseStrategy(rows: unitColumns(whole))),
        ]
    }()

    /// Divides every column by its norm.
    static func unitColumns(_ rows: [[Double]]) -> [[Double]] {
        let norms = rows.indices.map { column in
            rows[column...].reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
        }
        return rows.map { zip($0, norms).map { $0 / $1 } }
    }
}
