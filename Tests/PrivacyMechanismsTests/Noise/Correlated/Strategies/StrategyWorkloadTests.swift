import Foundation
import Testing

@testable import PrivacyMechanisms

@Suite struct StrategyWorkloadTests {
    /// Parameters after each step are those that the coefficients make of the gradients.
    @Test func coefficientsAreThoseOfTheOptimizer() throws {
        let (momentum, retention, gradients) = (0.7, 0.95, [1, -2, 0.5, 3, 0.25])
        let w = try StrategyWorkload(momentum: momentum, retention: retention).coefficients(5)
        var (velocity, parameter) = (0.0, 0.0)
        for t in gradients.indices {
            velocity = momentum * velocity + gradients[t]
            parameter = retention * parameter + velocity
            let sum = (0...t).reduce(0) { $0 + w[t - $1] * gradients[$1] }
            #expect(abs(parameter - sum) < 1e-14 * 100)
        }
        #expect(StrategyWorkload.prefixSums.coefficients(4) == [1, 1, 1, 1])
        #expect(StrategyWorkload.prefixSums.coefficients(0) == [])
    }

    /// Columns are multiplied by A.
    @Test func columnsAreFiltered() throws {
        for workload in [.prefixSums, try StrategyWorkload(momentum: 0.5, retention: 0.75)] {
            let w = workload.coefficients(3)
            var matrix = [1, 2, 3, -1, 0.5, 4, 2, 0, 1]
            let before = matrix
            workload.apply(toColumnsOf: &matrix, order: 3)
            for row in 0..<3 {
                for column in 0..<3 {
                    let sum = (0...row).reduce(0) { $0 + w[row - $1] * before[$1 * 3 + column] }
                    #expect(abs(matrix[row * 3 + column] - sum) < 1e-14)
                }
            }
        }
    }

    @Test func filesAreChecked() throws {
        func decode(_ text: String) throws -> StrategyWorkload {
            try JSONDecoder().decode(StrategyWorkload.self, from: Data(text.utf8))
        }
        #expect(try decode("{}") == .prefixSums)
        let workload = try StrategyWorkload(momentum: 0.9, retention: 0.999)
        #expect(try JSONDecoder().decode(StrategyWorkload.self, from: JSONEncoder().encode(workload)) == workload)
        #expect(throws: DecodingError.self) { try decode(#"{"beta": 0.9}"#) }
        for (text, name) in [
            (#"{"momentum": 1}"#, "momentum"), (#"{"momentum": -0.1}"#, "momentum"),
            (#"{"retention": 0}"#, "retention"), (#"{"retention": 1.5}"#, "retention"),
        ] {
            let error = #expect(throws: PrivacyMechanismError.self) { try decode(text) }
            #expect(error!.description.hasPrefix(name))
        }
        #expect(throws: PrivacyMechanismError.self) { try StrategyWorkload(momentum: .nan) }
        #expect(throws: PrivacyMechanismError.self) { try StrategyWorkload(retention: .nan) }
    }
}
