import Foundation
import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation

@Suite struct DropoutTests {
    static let keys: [UInt64] = [1, 2, 0, .max, 0x9e37_79b9_7f4a_7c15]

    @Test func holds() {
        OperationCheck.expect(shape: [4, 3], keys: Self.keys) { x, _ in x.dropout(rate: 0.4) }
        OperationCheck.expect(shape: [7], parameters: [[7, 5]], keys: Self.keys) { x, parameters in
            x.dropout(rate: 0.25).dense(kernel: parameters[0], activation: .tanh).dropout(rate: 0.5)
        }
    }

    /// Control: the check rejects a twin that draws by an example's place in the batch.
    @Test func aTwinThatDrawsByPlaceIsRejected() {
        withKnownIssue {
            OperationCheck.expect(shape: [4, 3], keys: Self.keys) { x, _ in x.applying(DropoutByPlace()) }
        }
    }

    /// What the operation makes of ones, for every example.
    private func outputs(_ keys: [UInt64], count: Int, _ function: (Value) -> Value) -> [[Float]] {
        let check = OperationCheck.check(shape: [count], count: keys.count, keys: keys) { x, _ in
            function(x.features(0..<count))
        }
        var memory = ProgramMemory<Float>()
        let inputs = ProgramInputs(
            features: Matrix(
                rows: keys.count, columns: count, elements: Array(repeating: 1, count: keys.count * count)),
            keys: keys)
        [Float](repeating: 0, count: check.program.layout.count).withUnsafeBufferPointer {
            check.program.forward(inputs, at: $0.baseAddress!, extent: .outputs, memory: &memory)
        }
        return (0..<keys.count).map { example in
            (0..<count).map { memory.values[check.program.outputs][example, $0] }
        }
    }

    @Test func evaluationDropsNothing() {
        OperationCheck.expect(shape: [4, 3]) { x, _ in x.dropout(rate: 0.4) }
        let check = OperationCheck.check(shape: [30], count: 2) { x, _ in x.dropout(rate: 0.9) }
        let same = OperationCheck.check(shape: [30], count: 2) { x, _ in x }
        #expect(check.run(check.inputs).losses == same.run(same.inputs).losses)
    }

    /// The numbers that are kept are multiplied by 1/(1 − rate), those that are not are zero, and which they are
    /// depends on the key and the place.
    @Test func theSameKeyDrawsTheSame() {
        let found = outputs([5, 6, 5, 7], count: 101) { $0.dropout(rate: 0.75) }
        #expect(Set(found.flatMap { $0 }) == [0, 4])
        #expect(found[0] == found[2])
        #expect(Set(found).count == 3)
        #expect(outputs([7, 5], count: 101) { $0.dropout(rate: 0.75) } == [found[3], found[0]])
        // Control: at another place it is another draw.
        #expect(outputs([5], count: 101) { ($0 + 0).dropout(rate: 0.75) } != [found[0]])
    }

    /// P(|K − np| ≥ |k − np|) ≤ 10⁻⁹, for the number k of events in n independent trials, by the binomial's own sum.
    private func isLikely(_ k: Int, of n: Int, at p: Double) -> Bool {
        let (trials, mean) = (Double(n), Double(n) * p)
        let distance = abs(Double(k) - mean)
        var tail = 0.0
        for i in 0...n where abs(Double(i) - mean) >= distance - 1e-9 {
            let (there, rest) = (Double(i), Double(n - i))
            let ways: Double = lgamma(trials + 1) - lgamma(there + 1) - lgamma(rest + 1)
            let logarithm: Double = ways + there * log(p) + rest * log1p(-p)
            tail += exp(logarithm)
        }
        return tail > 1e-9
    }

    @Test(arguments: [0.1, 0.5, 0.9])
    func theRateIsRight(_ rate: Double) {
        let (examples, count) = (40, 1001)
        let n = examples * count
        let found = outputs((0..<UInt64(examples)).map { $0 }, count: count) { $0.dropout(rate: rate) }
        let dropped = found.map { $0.map { $0 == 0 } }
        let k = dropped.reduce(0) { $0 + $1.count { $0 } }
        #expect(isLikely(k, of: n, at: rate))
        // Controls: neighbouring rates are rejected.
        #expect(!isLikely(k, of: n, at: rate - 0.03) && !isLikely(k, of: n, at: rate + 0.03))
        // Neighbours of one example, halves of one number and of two, are independent, and so are the same elements of
        // neighbouring keys.
        for first in [0, 1] {
            let pairs = dropped.flatMap { row in
                stride(from: first, to: count - 1, by: 2).map { row[$0] && row[$0 + 1] }
            }
            #expect(isLikely(pairs.count { $0 }, of: pairs.count, at: rate * rate))
        }
        let pairs = stride(from: 0, to: examples, by: 2).flatMap { row in
            (0..<count).map { dropped[row][$0] && dropped[row + 1][$0] }
        }
        #expect(isLikely(pairs.count { $0 }, of: pairs.count, at: rate * rate))
    }

    @Test func twoPlacesAreIndependent() {
        let (examples, count) = (40, 1000)
        let found = outputs((0..<UInt64(examples)).map { $0 }, count: count) { x in
            // 0 where both are dropped, and 4 where neither is.
            x.dropout(rate: 0.5) + x.dropout(rate: 0.5)
        }.flatMap { $0 }
        #expect(isLikely(found.count { $0 == 0 }, of: examples * count, at: 0.25))
        #expect(isLikely(found.count { $0 == 4 }, of: examples * count, at: 0.25))
        // Control: one place twice.
        let twice = outputs((0..<UInt64(examples)).map { $0 }, count: count) { x in
            let y = x.dropout(rate: 0.5)
            return y + y
        }.flatMap { $0 }
        #expect(!isLikely(twice.count { $0 == 0 }, of: examples * count, at: 0.25))
    }

    @Test func aRateOfZeroIsNoOperation() {
        let check = OperationCheck.check(shape: [3]) { x, _ in x.dropout(rate: 0) }
        #expect(!check.program.isRandom)
        #expect(OperationCheck.check(shape: [3]) { x, _ in x.dropout(rate: 0.1) }.program.isRandom)
    }

    @Test func namesTheRate() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [3]) { x, _ in x.dropout(rate: 1) }
        }
    }
}

/// Drops numbers by the example's place among those of its batch, with the same numbers on the way back.
private struct DropoutByPlace: RandomOperation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        for example in 0..<pass.exampleCount {
            let (input, output) = (pass.input(0, of: example), pass.output(of: example))
            for index in input.indices { output[index] = (index + example) % 2 == 0 ? 0 : 2 * input[index] }
        }
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {
        for example in 0..<pass.exampleCount {
            guard let gradient = pass.inputGradient(0, of: example) else { continue }
            let error = pass.outputGradient(of: example)
            for index in error.indices { gradient[index] = (index + example) % 2 == 0 ? 0 : 2 * error[index] }
        }
    }
}
