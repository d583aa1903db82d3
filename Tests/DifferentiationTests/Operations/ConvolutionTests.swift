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

    @Test(arguments: [Activation.identity, .tanh, .gelu])
    func holdsForStandardisedKernels(_ activation: Activation) {
        OperationCheck.expect(shape: [4, 4, 2], parameters: [[8, 3], [3]]) { x, parameters in
            x.convolved(
                kernel: parameters[0], bias: parameters[1], size: 2, stride: 1, activation: activation,
                isStandardised: true)
        }
    }

    /// Each output's kernel has mean 0 and variance 1 − 10⁻⁵/(variance + 10⁻⁵), whatever it was scaled and shifted by.
    @Test func standardisedKernelsHaveMeanZeroAndVarianceOne() {
        let kernel: [Double] = [1, -3, 5, 5, 0, 5, 7, 1, 5, 4, 2, 5]
        let found = kernel.withUnsafeBufferPointer { StandardisedKernel($0, outputs: 3).values }
        for output in 0..<2 {
            let column = stride(from: output, to: 12, by: 3).map { found[$0] }
            let own = stride(from: output, to: 12, by: 3).map { kernel[$0] }
            let mean = own.reduce(0, +) / 4
            let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4
            #expect(abs(column.reduce(0, +)) < 1e-14)
            #expect(abs(column.reduce(0) { $0 + $1 * $1 } / 4 - variance / (variance + 1e-5)) < 1e-14)
        }
        // A column of equal numbers is zero, and no division goes wrong.
        #expect(stride(from: 2, to: 12, by: 3).allSatisfy { found[$0] == 0 })
    }

    @Test func aKernelOfOneInputIsRefused() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [4, 4, 1], parameters: [[1, 3], [3]]) { x, p in
                x.convolved(kernel: p[0], bias: p[1], size: 1, isStandardised: true)
            }
        }
    }

    @Test(arguments: Pooling.allCases)
    func holdsForPooling(_ pooling: Pooling) {
        OperationCheck.expect(shape: [5, 4, 2]) { x, _ in x.pooled(by: pooling, size: 2, stride: 1) }
    }
}
