import Testing

@testable import PrivacyMechanisms

/// What holds for every strategy, and its broken twins.
@Suite struct NoiseStrategyTests {
    /// Relative: what the definition's own sums of at most 7 · 7 terms can be off by.
    private static let rounding = 64 * 0x1p-53

    private static let questions = (1...7).flatMap { k in (1...7).map { (k, $0) } }

    /// Whether a claim about participations is never below the truth.
    private static func isBound(_ matrix: [[Double]], _ claim: (_ k: Int, _ b: Int, _ t: Int) -> Double) -> Bool {
        [matrix.count, matrix.count - 3].allSatisfy { t in
            let table = ParticipationTable(matrix, steps: t)
            return questions.allSatisfy { k, b in
                claim(k, b, t) >= table.sensitivity(participations: k, separation: b) * (1 - rounding)
            }
        }
    }

    /// **Guarantee:** sensitivities are never below the definition's.
    @Test(arguments: SmallStrategy.all)
    func sensitivitiesAreBounds(_ subject: SmallStrategy) {
        let strategy = subject.strategy
        #expect(
            Self.isBound(strategy.matrix) { strategy.sensitivity(participations: $0, separation: $1, steps: $2) })
        for t in [7, 4] {
            let table = ParticipationTable(strategy.matrix, steps: t)
            for length in 1...7 {
                let truth = table.epochSensitivity(length: length)
                let claim = strategy.epochSensitivity(length: length, steps: t)
                #expect(claim >= truth * (1 - Self.rounding))
                if subject.isNonnegative || length >= t {
                    #expect(claim <= truth * (1 + 1e-12), "length \(length), t \(t)")
                }
            }
        }
    }

    /// They are the definition's where that is claimed: for one participation, columns that do not overlap, and
    /// Toeplitz matrices that do not increase.
    @Test(arguments: SmallStrategy.all)
    func sensitivitiesAreExactWhereClaimed(_ subject: SmallStrategy) {
        let strategy = subject.strategy
        for t in [7, 4] {
            let table = ParticipationTable(strategy.matrix, steps: t)
            for (k, b) in Self.questions where k == 1 || b >= min(t, strategy.bands) || subject.isMonotone {
                let truth = table.sensitivity(participations: k, separation: b)
                let claim = strategy.sensitivity(participations: k, separation: b, steps: t)
                #expect(claim <= truth * (1 + 1e-12), "k \(k), b \(b), t \(t)")
            }
        }
        #expect(strategy.columnNorm == strategy.sensitivity(participations: 1, separation: 1, steps: 7))
    }

    /// More participations than fit, and none; no steps.
    @Test(arguments: SmallStrategy.all)
    func edges(_ subject: SmallStrategy) {
        let strategy = subject.strategy
        for b in 1...9 {
            let most = strategy.sensitivity(participations: 7.dividedUp(by: b), separation: b, steps: 7)
            #expect(strategy.sensitivity(participations: .max, separation: b, steps: 7) == most)
            #expect(strategy.sensitivity(participations: 0, separation: b, steps: 7) == 0)
            #expect(strategy.sensitivity(participations: 3, separation: b, steps: 0) == 0)
        }
        #expect(strategy.epochSensitivity(length: 3, steps: 0) == 0)
        #expect(strategy.epochSensitivity(length: 100, steps: 7) == strategy.columnNorm)
    }

    /// The check rejects what looks like a sensitivity and is none.
    @Test func brokenTwinsAreNoBounds() throws {
        // Coefficients without n: somebody takes part once, whatever k is.
        let banded = try ToeplitzStrategy(coefficients: [1, 0.6, 0.3], steps: 7)
        #expect(!Self.isBound(banded.matrix) { _, _, _ in banded.columnNorm })
        // The running minimum in the place of the suffix maximum.
        let rising = try ToeplitzStrategy(coefficients: [1, 0.2, 0.9, 0.1], steps: 7)
        let minima = try ToeplitzStrategy(coefficients: [1, 0.2, 0.2, 0.1], steps: 7)
        let maxima = try ToeplitzStrategy(coefficients: [1, 0.9, 0.9, 0.1], steps: 7)
        for (twin, isRight) in [(minima, false), (rising, true), (maxima, true)] {
            let holds = Self.isBound(rising.matrix) { twin.sensitivity(participations: $0, separation: $1, steps: $2) }
            #expect(holds == isRight)
        }
        // The first columns of coefficients that increase, without a majorant.
        let late = try ToeplitzStrategy(coefficients: [1, 0, 0, 0, 2], steps: 7)
        #expect(
            !Self.isBound(late.matrix) { k, b, t in
                let columns = stride(from: 0, to: t, by: b).prefix(k)
                return late.matrix.prefix(t).reduce(0) { sum, row in
                    let value = columns.reduce(0) { $0 + row[$1] }
                    return sum + value * value
                }.squareRoot()
            })
        // The sensitivity of a matrix with unit columns, of noise that the matrix as it was makes.
        let rows = (0..<7).map { (row: Int) -> [Double] in
            (0...row).map { (column: Int) -> Double in row - column < 2 ? [1, 0.8][row - column] : 0 }
        }
        let unit = try DenseStrategy(rows: SmallStrategy.unitColumns(rows))
        let claim = { (k: Int, b: Int, t: Int) in
            b >= 2 ? unit.sensitivity(participations: k, separation: b, steps: t) : .infinity
        }
        #expect(Self.isBound(unit.matrix, claim))
        #expect(!Self.isBound(try DenseStrategy(rows: rows).matrix, claim))
        // Signs left out: contributions of X = CᵀC that cancel each other do not for opposite gradients.
        let alternating = try ToeplitzStrategy(coefficients: [1, -0.7], steps: 7)
        #expect(
            !Self.isBound(alternating.matrix) { k, b, t in
                let columns = stride(from: 0, to: t, by: b).prefix(k)
                return alternating.matrix.prefix(t).reduce(0) { sum, row in
                    let value = columns.reduce(0) { $0 + row[$1] }
                    return sum + value * value
                }.squareRoot()
            })
    }

    /// C · C⁻¹ = 1, and errors are those of A·C⁻¹ by its definition.
    @Test(arguments: SmallStrategy.all)
    func errorsAreThoseOfTheDefinition(_ subject: SmallStrategy) throws {
        let matrix = subject.strategy.matrix
        for workload in [
            .prefixSums, try StrategyWorkload(momentum: 0.9), try StrategyWorkload(momentum: 0.5, retention: 0.9),
        ] {
            let w = workload.coefficients(7)
            // B by substitution from the right: B·C = A.
            let squares = (0..<7).map { t in
                var b = [Double](repeating: 0, count: 7)
                for j in (0...t).reversed() {
                    let known = (j + 1..<7).reduce(0) { $0 + b[$1] * matrix[$1][j] }
                    b[j] = (w[t - j] - known) / matrix[j][j]
                }
                return b.reduce(0) { $0 + $1 * $1 }
            }
            let errors = subject.strategy.squaredErrors(on: workload)
            // The condition of these matrices is below 10³, as their inverses show.
            #expect(abs(errors.mean / (squares.reduce(0, +) / 7) - 1) < 1e-10)
            #expect(abs(errors.max / squares.max()! - 1) < 1e-10)
        }
        guard let toeplitz = subject.strategy as? any ToeplitzNoiseStrategy else { return }
        let (c, inverse) = (toeplitz.coefficients(7), toeplitz.noisingCoefficients(7))
        for t in 0..<7 {
            let product = (0...t).reduce(0) { $0 + c[$1] * inverse[t - $1] }
            #expect(abs(product - (t == 0 ? 1 : 0)) < 1e-12)
        }
        // Seven steps, each of at most 7 + 8 roundings of coefficients below 4, counted twice.
        let slack = 4 * 7 * 15 * 0x1p-52
        #expect(zip(toeplitz.magnitudes(7), c).allSatisfy { $0 >= abs($1) && $0 <= abs($1) + slack })
    }

    @Test func impossibleQuestionsTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = try IdentityStrategy(steps: 4).sensitivity(participations: 1, separation: 1, steps: 5)
        }
        await #expect(processExitsWith: .failure) {
            _ = try IdentityStrategy(steps: 4).sensitivity(participations: 1, separation: 0, steps: 4)
        }
        await #expect(processExitsWith: .failure) {
            _ = try IdentityStrategy(steps: 4).epochSensitivity(length: 0, steps: 4)
        }
        await #expect(processExitsWith: .success) {
            _ = try IdentityStrategy(steps: 4).sensitivity(participations: 1, separation: 1, steps: 4)
        }
    }
}
