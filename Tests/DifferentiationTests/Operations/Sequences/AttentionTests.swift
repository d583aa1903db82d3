import Foundation
import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation

struct AttentionTests {
    private static func attend(_ x: Value, _ p: [Tensor], isCausal: Bool) -> Value {
        attention(
            queries: x.dense(kernel: p[0]), keys: x.dense(kernel: p[1]), values: x.dense(kernel: p[2]), heads: 2,
            isCausal: isCausal)
    }

    @Test(arguments: [false, true], [nil, [4, 2, 1, 3, 0]] as [[Int]?])
    func holds(isCausal: Bool, lengths: [Int]?) {
        OperationCheck.expect(shape: [4, 3], parameters: [[3, 4], [3, 4], [3, 6]], lengths: lengths) { x, p in
            Self.attend(x, p, isCausal: isCausal)
        }
        OperationCheck.expect(shape: [4, 2], lengths: lengths) { x, _ in
            attention(queries: x, keys: x, values: x, heads: 1, isCausal: isCausal)
        }
    }

    @Test func holdsForQueriesOfAnotherSequence() {
        OperationCheck.expect(shape: [5, 2], lengths: [5, 3, 2, 1, 0]) { x, _ in
            attention(queries: x.positions(0..<2), keys: x, values: x, heads: 1)
        }
    }

    private static func check(_ function: (Value, [Tensor]) -> Value) -> ModelCheck {
        let shapes = [[2, 4], [2, 4], [2, 4]]
        return OperationCheck.check(shape: [6, 2], parameters: shapes, lengths: [6], count: 1, function)
    }

    /// Outputs and the gradients of all inputs, of one example of `length` positions of 6.
    private static func run(
        _ features: [Float], length: Int, isCausal: Bool, upTo last: Int = 6
    ) -> (outputs: [Float], gradient: [Float]) {
        let check = check { x, p in attend(x, p, isCausal: isCausal).positions(0..<last) }
        let inputs = ProgramInputs(features: Matrix([features]), lengths: [length])
        let rows = check.run(inputs).rows[0]
        var memory = ProgramMemory<Float>()
        let outputs = check.parameters.withUnsafeValues { values in
            check.program.forward(inputs, at: values.baseAddress!, extent: .outputs, memory: &memory)
            return check.program.outputs(in: memory).row(0)
        }
        return (outputs, rows)
    }

    /// The softmax of scores of a query by its definition, in Float64.
    @Test(arguments: [false, true], [6, 4]) func isWhatItsDefinitionSays(isCausal: Bool, length: Int) throws {
        var generator = SeededGenerator(seed: 11)
        let features = generator.floats(12)
        let found = Self.run(features, length: length, isCausal: isCausal).outputs
        // The check's own parameters: x's offset of zeros, and three kernels.
        let check = Self.check { x, p in Self.attend(x, p, isCausal: isCausal) }
        let kernels = check.parameters.values[12...].map(Double.init)
        func dense(_ t: Int, _ kernel: Int, _ column: Int) -> Double {
            (0..<2).reduce(0) { $0 + Double(features[2 * t + $1]) * kernels[8 * kernel + 4 * $1 + column] }
        }
        for t in 0..<6 {
            for head in 0..<2 {
                let keys = t >= length ? [] : Array(0..<min(length, isCausal ? t + 1 : 6))
                let weights = keys.map { s in
                    let products = (0..<2).map { dense(t, 0, 2 * head + $0) * dense(s, 1, 2 * head + $0) }
                    return exp((products[0] + products[1]) / 2.squareRoot())
                }
                for feature in 0..<2 {
                    let sum = zip(keys, weights).reduce(0) { $0 + $1.1 * dense($1.0, 2, 2 * head + feature) }
                    let exact = keys.isEmpty ? 0 : sum / weights.reduce(0, +)
                    #expect(abs(Double(found[4 * t + 2 * head + feature]) - exact) < 1e-6)
                }
            }
        }
    }

    @Test func laterPositionsHaveNoInfluence() {
        var generator = SeededGenerator(seed: 12)
        let features = generator.floats(12)
        for last in 1..<6 {
            let other = features[..<(2 * last)] + generator.floats(12 - 2 * last, in: -9...9)
            let before = Self.run(features, length: 6, isCausal: true, upTo: last)
            let after = Self.run(Array(other), length: 6, isCausal: true, upTo: last)
            #expect(before.outputs.map(\.bitPattern) == after.outputs.map(\.bitPattern))
            #expect(before.gradient.map(\.bitPattern) == after.gradient.map(\.bitPattern))
            #expect(before.gradient[(2 * last)..<12].allSatisfy { $0 == 0 })
            // Control: without causality they have one.
            #expect(
                Self.run(features, length: 6, isCausal: false, upTo: last).outputs
                    != Self.run(Array(other), length: 6, isCausal: false, upTo: last).outputs)
        }
    }

    @Test(arguments: [false, true]) func paddingHasNoInfluence(isCausal: Bool) {
        var generator = SeededGenerator(seed: 13)
        let features = generator.floats(12)
        for length in 0..<6 {
            let other = features[..<(2 * length)] + generator.floats(12 - 2 * length, in: -9...9)
            let before = Self.run(features, length: length, isCausal: isCausal)
            let after = Self.run(Array(other), length: length, isCausal: isCausal)
            #expect(before.outputs.map(\.bitPattern) == after.outputs.map(\.bitPattern))
            #expect(before.gradient.map(\.bitPattern) == after.gradient.map(\.bitPattern))
            #expect(before.gradient[(2 * length)..<12].allSatisfy { $0 == 0 })
        }
    }

    @Test func namesShapesThatDoNotFit() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [4, 3]) { x, _ in attention(queries: x, keys: x, values: x, heads: 2) }
        }
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [4, 2]) { x, _ in
                attention(queries: x, keys: x, values: x.positions(0..<3), heads: 1)
            }
        }
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [4, 2]) { x, _ in
                attention(queries: x.positions(0..<3), keys: x, values: x, heads: 1, isCausal: true)
            }
        }
    }
}
