import LinearAlgebra
import PyTrees
import Testing

@testable import Differentiation

struct PositionSliceTests {
    @Test func holds() {
        OperationCheck.expect(shape: [4, 3]) { x, _ in x.positions(1..<3).tanh() }
        OperationCheck.expect(shape: [4, 3]) { x, _ in x.position(2).tanh() }
        OperationCheck.expect(shape: [3, 2, 2]) { x, _ in x.positions(0..<2) }
        OperationCheck.expect(shape: [4, 3]) { x, _ in x.lastPosition().tanh() }
    }

    @Test func paddingStaysPadding() {
        let lengths = [4, 2, 1, 3, 0]
        OperationCheck.expect(shape: [4, 3], lengths: lengths) { x, _ in x.positions(1..<4).mean(over: .positions) }
        OperationCheck.expect(shape: [4, 3], lengths: lengths) { x, _ in x.position(2) }
        OperationCheck.expect(shape: [4, 3], lengths: lengths) { x, _ in x.lastPosition() }
    }

    /// The rows are the gradients of x: ones where a number is taken.
    @Test func takesTheRightPositions() {
        func rows(_ function: @escaping (Value) -> Value) -> [[Float]] {
            let check = OperationCheck.check(shape: [3, 1], lengths: [3, 2, 0], count: 3) { x, _ in
                let value = function(x)
                // Cancels the check's random weights.
                return value.squared() * Tensor(zeros: [1]) + value
            }
            return check.run(check.inputs).rows.map { row in row.map { $0 == 0 ? 0 : 1 } }
        }
        #expect(rows { $0.position(2) } == [[0, 0, 1], [0, 0, 0], [0, 0, 0]])
        #expect(rows { $0.lastPosition() } == [[0, 0, 1], [0, 1, 0], [0, 0, 0]])
        #expect(rows { $0.positions(1..<3).sum(over: .positions) } == [[0, 1, 1], [0, 1, 0], [0, 0, 0]])
    }

    @Test func positionsOfTokensKeepTheirPadding() {
        let table = try! Tensor(shape: [3, 1], values: [1, 2, 3])
        let program = Program(parameters: [table], featureCount: 4) { table, example in
            let value = example.tokens.positions(1..<3).embedded(in: table[0])
            return Loss(value.sum(over: .positions).sum(over: .all), outputs: value, readAs: .squaredError)
        }
        let inputs = ProgramInputs<Float>(
            features: Matrix([[0, 1, 2, 2], [2, -1, 1, 0], [0, 2, 1, 1]]), lengths: [4, 4, 2])
        let check = ModelCheck(program: program, inputs: inputs, parameters: try! [table].flattened())
        check.expectAll()
        #expect(check.run(inputs).losses == [5, 2, 3])
    }

    @Test func namesRangeAndShape() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [4, 3]) { x, _ in x.positions(2..<5) }
        }
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [4, 3]) { x, _ in x.position(-1) }
        }
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [4]) { x, _ in x.lastPosition() }
        }
    }
}
