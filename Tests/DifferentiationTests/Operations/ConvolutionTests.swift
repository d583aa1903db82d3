import Testing

@testable import Differentiation

struct ConvolutionTests {
    @Test(arguments: [Activation.identity, .tanh, .gelu])
    func holds(_ activation: Activation) {
        OperationCheck.expect(shape: [5, 4, 2], parameters: [[18, 3], [3]]) { x, parameters in
            x.convolved(
                kernel: parameters[0], bias: parameters[1], size: 3, stride: 2, padding: 1, activation: activation)
        }
    }

    @Test(arguments: Pooling.allCases)
    func holdsForPooling(_ pooling: Pooling) {
        OperationCheck.expect(shape: [5, 4, 2]) { x, _ in x.pooled(by: pooling, size: 2, stride: 1) }
    }
}
