import LinearAlgebra
import PyTrees
import Testing

@testable import Differentiation

/// A mask says of positions whether they are there. What is no position any more must not be taken for one: it would be
/// measured with another example's mask.
@Suite struct MaskTests {
    private static let lengths = [4, 2, 1, 3, 0]

    @Test(arguments: [2, 4, 6, 8])
    func featuresAreNotTakenForPositions(_ width: Int) {
        OperationCheck.expect(shape: [4, 3], parameters: [[4, width]], lengths: Self.lengths) { x, parameters in
            x.mean(over: .features).dense(kernel: parameters[0]).mean(over: .all)
        }
        OperationCheck.expect(shape: [4, 3], parameters: [[4, width]], lengths: Self.lengths) { x, parameters in
            x.mean(over: .features).dense(kernel: parameters[0]).reshaped(width, 1).lastPosition()
        }
    }

    @Test func slicesAndJoinsOfVectorsHaveNoPositions() {
        OperationCheck.expect(shape: [4, 3], lengths: Self.lengths) { x, _ in
            let v = x.mean(over: .features)
            return v.features(1..<3).concatenated(with: v.softmax()).reshaped(6, 1).mean(over: .positions)
        }
    }

    @Test func positionsOfANumberEachKeepTheirMask() {
        OperationCheck.expect(shape: [4, 3], lengths: Self.lengths) { x, _ in
            x.sum(over: .features).tanh().mean(over: .all)
        }
        // The control: padding that counted would change the mean.
        let check = OperationCheck.check(shape: [4, 1], lengths: [2, 2], count: 2, range: 1...2) { x, _ in
            x.sum(over: .features).mean(over: .all)
        }
        let rows = check.run(check.inputs).rows[0]
        #expect(rows[0] == rows[1] && rows[0] != 0 && rows[2] == 0 && rows[3] == 0)
    }

    @Test func labelsOfPaddingAreIgnored() {
        func rows(_ ids: [Float], lengths: [Int]) -> [Float] {
            let model = OperationCheck.Model(input: Tensor(zeros: [3, 5]), parameters: [])
            let program = Program(parameters: model, featureCount: 3) { model, example in
                let zeros = example.features.reshaped(3, 1).dense(kernel: Tensor(zeros: [1, 5]))
                return softmaxCrossEntropy(zeros + model.input, example.tokens)
            }
            let check = ModelCheck(
                program: program,
                inputs: ProgramInputs(features: Matrix(rows: 1, columns: 3, elements: ids), lengths: lengths),
                parameters: model.vector())
            return check.run(check.inputs).rows[0]
        }
        // What stands in padding does not matter, be it no class at all.
        #expect(rows([1, 4, 0], lengths: [2]) == rows([1, 4, -1], lengths: [3]))
        #expect(rows([1, 4, 999], lengths: [2]) == rows([1, 4, -1], lengths: [3]))
        #expect(rows([1, 4, 0], lengths: [3]) != rows([1, 4, 0], lengths: [2]))
    }
}
