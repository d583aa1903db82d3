import Testing

@testable import Differentiation

struct ArithmeticTests {
    @Test func holdsForTwoValues() {
        OperationCheck.expect(shape: [3, 2], parameters: [[2, 2]]) { x, parameters in
            let y = x.dense(kernel: parameters[0])
            return (x + y) * y - x * x
        }
    }

    @Test func holdsForConstants() {
        OperationCheck.expect(shape: [3]) { x, _ in -(2.5 * x + 0.5) }
        OperationCheck.expect(shape: [3]) { x, _ in (1 - x * 2.5) * (0.5 + x) - 0.25 }
    }

    @Test func holdsForParameters() {
        OperationCheck.expect(shape: [3, 2], parameters: [[2], [3, 2], []]) { x, parameters in
            ((x * parameters[0] + parameters[1]) * parameters[1] + parameters[0]) * parameters[2] + parameters[2]
        }
    }
}
