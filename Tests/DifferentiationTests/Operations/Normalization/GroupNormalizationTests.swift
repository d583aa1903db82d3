import LinearAlgebra
import PyTrees
import Testing

@testable import Differentiation

struct GroupNormalizationTests {
    @Test(arguments: [1, 2, 4]) func holds(groups: Int) {
        OperationCheck.expect(shape: [2, 3, 4], parameters: [[4], [4]]) { x, p in
            x.groupNormalized(gain: p[0], bias: p[1], groups: groups)
        }
        // Inside of a network, where others ask for the inputs' gradients.
        OperationCheck.expect(shape: [3, 3, 1], parameters: [[4, 4], [4], [4], [4]]) { x, p in
            x.convolved(kernel: p[0], bias: p[1], size: 2).groupNormalized(gain: p[2], bias: p[3], groups: groups)
        }
    }

    /// One group of one channel is a row of all its pixels.
    @Test func oneChannelIsNormalisedAsARow() {
        func outputs(_ function: @escaping (Value) -> Value) -> [Float] {
            let check = OperationCheck.check(shape: [2, 3, 1], count: 1) { x, _ in function(x) }
            var memory = ProgramMemory<Float>()
            check.program.forward(
                check.inputs, at: [Float](repeating: 0, count: 6), extent: .outputs, memory: &memory)
            return check.program.outputs(in: memory).row(0)
        }
        let ones = Tensor([Float](repeating: 1, count: 6))
        let image = outputs { $0.groupNormalized(gain: Tensor([1]), bias: Tensor([0]), groups: 1) }
        let row = outputs { $0.reshaped(6).layerNormalized(gain: ones, bias: Tensor(zeros: [6])) }
        #expect(zip(image, row).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func namesShapesThatDoNotFit() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [2, 3, 4], parameters: [[4], [4]]) { x, p in
                x.groupNormalized(gain: p[0], bias: p[1], groups: 3)
            }
        }
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [6, 4], parameters: [[4], [4]]) { x, p in
                x.groupNormalized(gain: p[0], bias: p[1], groups: 2)
            }
        }
    }
}
