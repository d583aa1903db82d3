import LinearAlgebra
import PyTrees
import Requirements

extension Program {
    /// Each example's loss and gradient in Float64, written out as rows: for checks.
    package func lossesAndRows(
        of inputs: ProgramInputs<Double>, at parameters: [Double]
    ) -> (losses: [Double], rows: [[Double]]) {
        require(
            parameters.count == layout.count,
            "\(parameters.count) numbers do not fit \(layout.count) parameters.")
        let count = inputs.exampleCount
        var memory = ProgramMemory<Double>()
        return parameters.withUnsafeBufferPointer { parameters in
            let base = parameters.baseAddress!
            forward(inputs, at: base, extent: .losses, memory: &memory)
            let losses = (0..<count).map { memory.values[loss][$0, 0] }
            let uses = backward(inputs, at: base, memory: &memory)
            var rows = [[Double]](repeating: Array(repeating: 0, count: layout.count), count: count)
            for (leaf, uses) in zip(layout.leaves, uses) {
                for use in uses {
                    for example in 0..<count {
                        let gradient = use.gradient(of: example, count: leaf.range.count)
                        for (index, value) in gradient.enumerated() {
                            rows[example][leaf.range.lowerBound + index] += value
                        }
                    }
                }
            }
            return (losses, rows)
        }
    }
}

extension ParameterGradient<Double> {
    /// One example's gradient, multiplied out.
    fileprivate func gradient(of example: Int, count: Int) -> [Double] {
        var result = [Double](repeating: 0, count: count)
        switch self {
        case .outer(let activations, let outputGradients, let positions):
            for row in example * positions..<(example + 1) * positions {
                for input in 0..<activations.columns {
                    for output in 0..<outputGradients.columns {
                        result[input * outputGradients.columns + output] +=
                            activations[row, input] * outputGradients[row, output]
                    }
                }
            }
        case .mapped(let activations, let outputGradients, let positions, let map):
            result = Self.outer(activations: activations, outputGradients: outputGradients, positions: positions)
                .gradient(of: example, count: count)
            result.withUnsafeMutableBufferPointer { map($0) }
        case .lookup(let indices, let outputGradients, let positions):
            for row in example * positions..<(example + 1) * positions where indices[row] >= 0 {
                for column in 0..<outputGradients.columns {
                    result[indices[row] * outputGradients.columns + column] += outputGradients[row, column]
                }
            }
        case .sums(let outputGradients, let positions):
            for row in example * positions..<(example + 1) * positions {
                for column in 0..<count { result[column] += outputGradients[row, column] }
            }
        case .rows(let rows):
            for column in 0..<count { result[column] = rows[example, column] }
        }
        return result
    }
}
