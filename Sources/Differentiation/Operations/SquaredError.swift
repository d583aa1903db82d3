import PyTrees
import Requirements

/// ½ ‖y − t‖².
struct SquaredError: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        require(
            inputs[0] == inputs[1], "Outputs of shape \(inputs[0]) do not fit targets of shape \(inputs[1]).")
        return []
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let (outputs, targets) = (pass.input(0, of: example), pass.input(1, of: example))
            var sum = S.zero
            for index in outputs.indices {
                let difference = outputs[index] - targets[index]
                sum += difference * difference
            }
            pass.output(of: example)[0] = sum / 2
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            let factor = pass.outputGradient(of: example)[0]
            let (outputs, targets) = (pass.input(0, of: example), pass.input(1, of: example))
            for (place, sign) in [(0, factor), (1, -factor)] {
                guard let gradient = pass.inputGradient(place, of: example) else { continue }
                for index in outputs.indices { gradient[index] = sign * (outputs[index] - targets[index]) }
            }
        }
    }
}

/// ½ ‖y − t‖², for numbers y and their targets t. Traps unless both have the same shape.
public func squaredError(_ outputs: Value, _ target: Value) -> Loss {
    Loss(outputs.applying(SquaredError(), to: [target], keepsPositions: false), outputs: outputs, readAs: .squaredError)
}
