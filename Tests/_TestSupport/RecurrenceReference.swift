import Foundation

/// Recurrences by their definition, number by number, as PyTorch's documentation of `nn.GRU` and `nn.LSTM` has it.
package struct RecurrenceReference {
    let width: Int
    /// Row-major, with the gates beside each other.
    let inputKernel: [Double]
    let recurrentKernel: [Double]
    let inputBias: [Double]
    let recurrentBias: [Double]

    package init(
        width: Int, inputKernel: [Double], recurrentKernel: [Double], inputBias: [Double], recurrentBias: [Double]
    ) {
        (self.width, self.inputKernel, self.recurrentKernel) = (width, inputKernel, recurrentKernel)
        (self.inputBias, self.recurrentBias) = (inputBias, recurrentBias)
    }

    private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// Unit `unit` of gate `gate`: what the input adds, and what the state adds.
    private func parts(_ gate: Int, _ unit: Int, _ x: [Double], _ h: [Double]) -> (input: Double, state: Double) {
        let (column, columns) = (gate * width + unit, inputBias.count)
        var (input, state) = (inputBias[column], recurrentBias[column])
        for (index, value) in x.enumerated() { input += value * inputKernel[index * columns + column] }
        for (index, value) in h.enumerated() { state += value * recurrentKernel[index * columns + column] }
        return (input, state)
    }

    private func total(_ gate: Int, _ unit: Int, _ x: [Double], _ h: [Double]) -> Double {
        let parts = parts(gate, unit, x, h)
        return parts.input + parts.state
    }

    /// The states after every position; those after `length` positions are repeated.
    package func gru(_ x: [[Double]], length: Int) -> [[Double]] {
        var h = [Double](repeating: 0, count: width)
        return x.enumerated().map { position, x in
            if position >= length { return h }
            h = (0..<width).map { unit in
                let r = sigmoid(total(0, unit, x, h))
                let z = sigmoid(total(1, unit, x, h))
                let candidate = parts(2, unit, x, h)
                let n = tanh(candidate.input + r * candidate.state)
                return (1 - z) * n + z * h[unit]
            }
            return h
        }
    }

    /// The states after every position; those after `length` positions are repeated.
    package func lstm(_ x: [[Double]], length: Int) -> [[Double]] {
        var h = [Double](repeating: 0, count: width)
        var c = h
        return x.enumerated().map { position, x in
            if position >= length { return h }
            c = (0..<width).map { unit in
                sigmoid(total(1, unit, x, h)) * c[unit] + sigmoid(total(0, unit, x, h)) * tanh(total(2, unit, x, h))
            }
            h = (0..<width).map { sigmoid(total(3, $0, x, h)) * tanh(c[$0]) }
            return h
        }
    }
}
