import Foundation
import LinearAlgebra
import Testing

@testable import Differentiation

struct SoftmaxTests {
    @Test func holds() {
        OperationCheck.expect(shape: [5]) { x, _ in x.softmax() }
        OperationCheck.expect(shape: [3, 11]) { x, _ in x.softmax() }
        OperationCheck.expect(shape: [5]) { x, _ in x.logSoftmax() }
        OperationCheck.expect(shape: [3, 11]) { x, _ in x.logSoftmax() }
    }

    private static func outputs(_ features: [Float], _ function: @escaping (Value) -> Value) -> [Float] {
        let check = OperationCheck.check(shape: [features.count], count: 1) { x, _ in function(x) }
        var memory = ProgramMemory<Float>()
        let zeros = [Float](repeating: 0, count: features.count)
        check.program.forward(ProgramInputs(features: Matrix([features])), at: zeros, extent: .outputs, memory: &memory)
        return check.program.outputs(in: memory).row(0)
    }

    @Test func neitherOverflowsNorRoundsAway() {
        #expect(Self.outputs([1e30, -1e30, 1e30]) { $0.softmax() } == [0.5, 0, 0.5])
        #expect(Self.outputs([1000, 0, -1000]) { $0.logSoftmax() } == [0, -1000, -2000])
        // ln(1 + e⁻²⁰) is far below the spacing of Float32 around 1.
        let small = Self.outputs([20, 0]) { $0.logSoftmax() }
        #expect(abs(Double(small[0]) + log1p(exp(-20))) < 1e-6 * exp(-20))
    }

    @Test func namesAShapeWithoutFeatures() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [4]) { x, _ in x.sum(over: .all).softmax() }
        }
    }
}
