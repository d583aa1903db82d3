import PyTrees
import Testing

import Differentiation

/// An operation from outside of the package, with a parameter and an input of its own: y = a·sin-like bump of x.
private struct Bump: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }

    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int { 1 }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let height = pass.parameter(0)[0]
        pass.forEachExample { example in
            let (x, y) = (pass.input(0, of: example), pass.output(of: example))
            for index in x.indices { y[index] = height * S.exp(-x[index] * x[index]) }
        }
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            let (x, e) = (pass.input(0, of: example), pass.outputGradient(of: example))
            let (y, height) = (pass.output(of: example), pass.parameter(0)[0])
            let gradient = pass.inputGradient(0, of: example)
            var sum = S.zero
            for index in x.indices {
                sum += e[index] * y[index] / height
                gradient?[index] = -2 * x[index] * y[index] * e[index]
            }
            pass.saved(of: example)[0] = sum
        }
    }

    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] { [.rows(pass.savedNumbers)] }
}

/// The same with a derivative that lacks its factor of 2.
private struct BrokenBump: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let (x, y) = (pass.input(0, of: example), pass.output(of: example))
            for index in x.indices { y[index] = S.exp(-x[index] * x[index]) }
        }
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            for index in gradient.indices {
                gradient[index] =
                    -pass.input(0, of: example)[index] * pass.output(of: example)[index]
                    * pass.outputGradient(of: example)[index]
            }
        }
    }
}

@Suite struct UserOperationTests {
    @Test func anOperationFromOutsideIsAsGoodAsAnother() {
        OperationCheck.expect(shape: [3, 2], parameters: [[1], [2, 2]]) { x, parameters in
            x.dense(kernel: parameters[1]).applying(Bump(), parameters: [parameters[0]])
        }
    }

    @Test func theCheckRejectsABrokenDerivative() {
        withKnownIssue {
            OperationCheck.expect(shape: [3]) { x, _ in x.applying(BrokenBump()) }
        }
    }
}
