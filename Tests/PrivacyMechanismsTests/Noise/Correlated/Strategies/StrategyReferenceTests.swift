import Testing
import _TestSupport

@testable import PrivacyMechanisms

/// `strategies` of `mechanisms.json`, and `matrix_factorization.json`, which divides coefficients by their norm.
@Suite struct StrategyReferenceTests {
    /// Relative: 10⁻⁹ of both sides' rounding.
    private static func isNear(_ value: Double, _ reference: Double) -> Bool {
        abs(value - reference) <= 1e-9 * abs(reference)
    }

    @Test func bandedInverses() throws {
        let rows = try ReferenceValues.load("mechanisms.json")["strategies"].array
        #expect(!rows.isEmpty)
        for row in rows {
            let (n, k) = (Int(row["steps"].double), Int(row["participations"].double))
            let strategy = try BandedInverseStrategy.bifr(
                gamma: row["gamma"].double, terms: Int(row["terms"].double), steps: n)
            #expect(zip(strategy.noisingCoefficients, row["noising_coefficients_f64"].flat).allSatisfy(Self.isNear))
            #expect(zip(strategy.coefficients(8), row["strategy_coefficients_f64"].flat).allSatisfy(Self.isNear))
            let sensitivity = strategy.epochSensitivity(length: n / k, steps: n)
            let square = row["sensitivity_squared_f64"].double
            #expect(Self.isNear(sensitivity * sensitivity, square))
            #expect(sensitivity * sensitivity >= square * (1 - 1e-14))
            // Where C does not increase, a fixed order is the worst of all with that separation.
            if strategy.coefficients(n) == strategy.coefficients(n).suffixMaxima {
                #expect(strategy.sensitivity(participations: k, separation: n / k, steps: n) == sensitivity)
            }
            let errors = strategy.squaredErrors(on: .prefixSums)
            #expect(Self.isNear(errors.mean, row["mean_error_f64"].double))
            #expect(Self.isNear(errors.max, row["max_error_f64"].double))
        }
    }

    @Test func bandedToeplitz() throws {
        let rows = try ReferenceValues.load("matrix_factorization.json")["toeplitz"].array
        #expect(!rows.isEmpty)
        for row in rows {
            let (n, b) = (Int(row["n"].double), Int(row["bands"].double))
            let given = row["optimized_coef_f64"].flat
            let scale = given[0]
            let strategy = try ToeplitzStrategy(coefficients: given.map { $0 / scale }, steps: n)
            let inverse = row["inverse_coef_f64"].flat
            #expect(zip(strategy.noisingCoefficients(n), inverse).allSatisfy { abs($0 / scale - $1) < 1e-9 })
            let square = strategy.columnNorm * strategy.columnNorm * scale * scale
            #expect(Self.isNear(square, row["sensitivity_squared_f64"].double))
            let sensitivity = strategy.sensitivity(participations: max(1, n / b), separation: b, steps: n)
            #expect(
                Self.isNear(
                    sensitivity * sensitivity * scale * scale, row["minsep_sensitivity_squared_f64"].double))
            let errors = strategy.squaredErrors(on: .prefixSums)
            #expect(Self.isNear(errors.mean / (scale * scale), row["per_query_error_mean_f64"].double))
            #expect(Self.isNear(errors.max / (scale * scale), row["per_query_error_max_f64"].double))
        }
    }

    @Test func theOptimumForOneParticipation() throws {
        let file = try ReferenceValues.load("matrix_factorization.json")
        let strategy = try ToeplitzStrategy.optimalForOneParticipation(steps: 64)
        let coefficients = file["optimal_max_error_strategy_coefs_64_f64"].flat
        #expect(coefficients.count == 64)
        #expect(zip(strategy.coefficients, coefficients).allSatisfy(Self.isNear))
        let noising = file["optimal_max_error_noising_coefs_64_f64"].flat
        #expect(zip(strategy.noisingCoefficients(64), noising).allSatisfy { abs($0 - $1) < 1e-14 })
    }

    @Test func denseMatrices() throws {
        let rows = try ReferenceValues.load("matrix_factorization.json")["dense"].array
        #expect(!rows.isEmpty)
        for row in rows {
            let (n, epochs) = (Int(row["n"].double), Int(row["epochs"].double))
            let matrix = row["strategy_f64"].array.map(\.flat)
            let strategy = try DenseStrategy(rows: matrix.enumerated().map { Array($0.element.prefix($0.offset + 1)) })
            #expect(
                Self.isNear(
                    strategy.epochSensitivity(length: n / epochs, steps: n), row["fixed_epoch_sensitivity_f64"].double))
            #expect(
                Self.isNear(
                    strategy.squaredErrors(on: .prefixSums).mean, row["per_query_error_mean_f64"].double))
        }
    }
}
