import PyTrees
import Testing

@testable import Differentiation

struct DenseTests {
    @Test(arguments: [
        Activation.identity, .tanh, .gelu, .temperedSigmoid(scale: 1.5, temperature: 2, offset: 0.25),
    ])
    func holdsForAVector(_ activation: Activation) {
        OperationCheck.expect(shape: [7], parameters: [[7, 5], [5]]) { x, parameters in
            x.dense(kernel: parameters[0], bias: parameters[1], activation: activation)
        }
    }

    @Test func holdsAtEveryPosition() {
        OperationCheck.expect(shape: [4, 3], parameters: [[3, 6], [6]]) { x, parameters in
            x.dense(kernel: parameters[0], bias: parameters[1], activation: .gelu)
        }
        OperationCheck.expect(shape: [4, 3], parameters: [[3, 2]]) { x, parameters in x.dense(kernel: parameters[0]) }
    }

    @Test func joinsTheUsesOfOneKernel() {
        OperationCheck.expect(shape: [4], parameters: [[4, 4]]) { x, parameters in
            x.dense(kernel: parameters[0], activation: .tanh).dense(kernel: parameters[0])
        }
    }

    @Test func namesBothShapes() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [7], parameters: [[6, 5]]) { x, parameters in x.dense(kernel: parameters[0]) }
        }
    }
}
