import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation

struct TransposedProductTests {
    @Test func holds() {
        OperationCheck.expect(shape: [3], parameters: [[5, 3]]) { x, tables in x.multiplied(byTransposed: tables[0]) }
        OperationCheck.expect(shape: [4, 3], parameters: [[5, 3]]) { x, tables in
            x.multiplied(byTransposed: tables[0]).tanh()
        }
    }

    @Test func isAProductWithTheTransposedTable() {
        let table = try! Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6])
        let check = OperationCheck.check(shape: [3], parameters: [[2, 3]]) { x, _ in x.multiplied(byTransposed: table) }
        var memory = ProgramMemory<Float>()
        let zeros = [Float](repeating: 0, count: check.program.layout.count)
        check.program.forward(
            ProgramInputs(features: Matrix([[1, 0, 2]])), at: zeros, extent: .outputs, memory: &memory)
        #expect(check.program.outputs(in: memory).row(0) == [7, 16])
    }

    /// A table that is looked up and multiplied with: its gradients are joined.
    @Test(arguments: [nil, [4, 2, 1, 3, 0]] as [[Int]?])
    func joinsTheUsesOfATiedTable(lengths: [Int]?) {
        var generator = SeededGenerator(seed: 5)
        let ids: [[Float]] = [[0, 1, 2, 3], [3, 3, 3, 3], [4, 4, 0, 4], [1, -1, 1, 2], [2, 1, 0, 4]]
        let model = [
            try! Tensor(shape: [5, 3], values: generator.floats(15)),
            try! Tensor(shape: [3, 3], values: generator.floats(9)),
        ]
        let program = Program(parameters: model, featureCount: 4) { model, example in
            let hidden = example.tokens.embedded(in: model[0]).dense(kernel: model[1], activation: .tanh)
            return nextTokenLoss(hidden.multiplied(byTransposed: model[0]), example.tokens)
        }
        #expect(program.vocabulary == 5)
        ModelCheck(
            program: program, inputs: ProgramInputs(features: Matrix(ids), lengths: lengths),
            parameters: try! model.flattened()
        ).expectAll()
    }

    @Test func namesBothShapes() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [7], parameters: [[7, 5]]) { x, p in x.multiplied(byTransposed: p[0]) }
        }
    }
}
