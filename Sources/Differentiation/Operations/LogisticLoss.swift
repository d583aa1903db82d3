import PyTrees
import Requirements

/// ln(1 + e^y) − t·y.
struct LogisticLoss: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        require(
            inputs[0].reduce(1, *) == 1 && inputs[1].isEmpty,
            "The logistic loss compares one score with one class, and not a value of shape \(inputs[0]) with labels of "
                + "shape \(inputs[1]).")
        return []
    }

    func isDifferentiable(input index: Int) -> Bool { index == 0 }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let (score, target) = (pass.input(0, of: example)[0], pass.input(1, of: example)[0])
            pass.output(of: example)[0] = Self.lossAndDerivative(score, isPositive: target == 1).loss
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            let (score, target) = (pass.input(0, of: example)[0], pass.input(1, of: example)[0])
            gradient[0] =
                pass.outputGradient(of: example)[0]
                * Self.lossAndDerivative(score, isPositive: target == 1).derivative
        }
    }

    static func lossAndDerivative<S: Real>(_ score: S, isPositive: Bool) -> (loss: S, derivative: S) {
        let small = S.exp(-abs(score))
        // The chance of the wrong class, without 1 − σ, which would lose what is small.
        let isRight = (score > 0) == isPositive
        let derivative = (isPositive ? -1 : 1) * (isRight ? small : 1) / (1 + small)
        return ((isRight ? 0 : abs(score)) + S.log1p(small), derivative)
    }
}

/// ln(1 + e^y) − t·y, for one score y and a class t of 0 or 1. Traps unless the score is one number.
public func logisticLoss(_ score: Value, _ label: Indices) -> Loss {
    Loss(
        score.applying(LogisticLoss(), inputs: [(label.node, label.shape)], mask: nil), outputs: score,
        readAs: .logistic)
}
