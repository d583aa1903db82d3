import PyTrees
import Requirements

/// x + b, with b of the shape of x's last dimensions: the same at every position, or all of x's shape.
struct ParameterAddition: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        requireSuffix(parameters[0], of: inputs[0])
        return inputs[0]
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let parameter = pass.parameter(0)
        pass.forEachExample { example in
            let (input, output) = (pass.input(0, of: example), pass.output(of: example))
            for begin in stride(from: 0, to: output.count, by: max(1, parameter.count)) {
                for index in parameter.indices { output[begin + index] = input[begin + index] + parameter[index] }
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            _ = gradient.update(fromContentsOf: pass.outputGradient(of: example))
        }
    }

    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] {
        let count = pass.parameter(0).count
        return [
            .sums(
                outputGradients: pass.outputGradientBlock(columns: count),
                positions: count == 0 ? 0 : pass.forward.outputCount / count)
        ]
    }
}

/// x ∘ g, with g of the shape of x's last dimensions.
struct ParameterMultiplication: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        requireSuffix(parameters[0], of: inputs[0])
        return inputs[0]
    }

    /// An example's gradient of the parameter.
    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int { parameters[0].reduce(1, *) }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let parameter = pass.parameter(0)
        pass.forEachExample { example in
            let (input, output) = (pass.input(0, of: example), pass.output(of: example))
            for begin in stride(from: 0, to: output.count, by: max(1, parameter.count)) {
                for index in parameter.indices { output[begin + index] = input[begin + index] * parameter[index] }
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let parameter = pass.parameter(0)
        pass.forEachExample { example in
            let (input, outputGradient) = (pass.input(0, of: example), pass.outputGradient(of: example))
            let own = pass.saved(of: example)
            own.update(repeating: 0)
            let gradient = pass.inputGradient(0, of: example)
            for begin in stride(from: 0, to: input.count, by: max(1, parameter.count)) {
                for index in parameter.indices {
                    let error = outputGradient[begin + index]
                    own[index] += input[begin + index] * error
                    gradient?[begin + index] = parameter[index] * error
                }
            }
        }
    }

    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] { [.rows(pass.savedNumbers)] }
}

private func requireSuffix(_ parameter: [Int], of shape: [Int]) {
    require(
        shape.suffix(parameter.count) == parameter[...],
        "A parameter of shape \(parameter) does not fit a value of shape \(shape): it has to have the value's last "
            + "dimensions.")
}

extension Value {
    /// x + b, with a parameter of the shape of the value's last dimensions. Traps unless it has it.
    public static func + (value: Value, parameter: Tensor) -> Value {
        value.applying(ParameterAddition(), parameters: [parameter], mask: value.mask)
    }

    /// x ∘ g, with a parameter of the shape of the value's last dimensions. Traps unless it has it.
    public static func * (value: Value, parameter: Tensor) -> Value {
        value.applying(ParameterMultiplication(), parameters: [parameter], mask: value.mask)
    }
}
