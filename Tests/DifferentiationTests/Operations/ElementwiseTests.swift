import Testing

@testable import Differentiation

struct ElementwiseTests {
    @Test func holdsForEveryFunction() {
        let functions: [Elementwise.Function] = [
            .exponential, .logarithm, .square, .squareRoot, .reciprocal, .activation(.tanh), .activation(.gelu),
            .activation(.relu), .activation(.temperedSigmoid(scale: 1, temperature: 1, offset: 0)),
        ]
        for function in functions {
            OperationCheck.expect(shape: [3, 2], range: 0.5...2) { x, _ in
                x.applying(Elementwise(function: function))
            }
        }
    }
}
