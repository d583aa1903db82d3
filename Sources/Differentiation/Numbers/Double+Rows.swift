// Number by number: for checks, where speed does not matter.

extension Double {
    /// exp(x − offset).
    public static func exponentials(
        of inputs: UnsafePointer<Double>, minus offset: Double, _ count: Int,
        into outputs: UnsafeMutablePointer<Double>
    ) -> Double {
        for index in 0..<count { outputs[index] = exp(inputs[index] - offset) }
        return sum(outputs, count)
    }

    /// One after the other.
    public static func sum(_ values: UnsafePointer<Double>, _ count: Int) -> Double {
        (0..<count).reduce(0) { $0 + values[$1] }
    }

    /// The softmax of each row.
    public static func softmax(
        _ values: UnsafeMutablePointer<Double>, scale: Double, mask: UnsafePointer<Double>, _ rows: Rows
    ) {
        for row in 0..<rows.rows {
            let values = values + row * rows.count
            for index in 0..<rows.count { values[index] = scale * values[index] + mask[index] }
            let top = (0..<rows.count).reduce(-Double.infinity) { max($0, values[$1]) }
            if top == -.infinity {
                values.update(repeating: 0, count: rows.count)
                continue
            }
            let sum = exponentials(of: values, minus: top, rows.count, into: values)
            for index in 0..<rows.count { values[index] /= sum }
        }
    }

    /// The way back of the softmax of each row.
    public static func softmaxBackward(
        _ gradients: UnsafeMutablePointer<Double>, probabilities: UnsafePointer<Double>, scale: Double, _ rows: Rows
    ) {
        for row in 0..<rows.rows {
            let (gradients, p) = (gradients + row * rows.count, probabilities + row * rows.count)
            let mean = (0..<rows.count).reduce(0) { $0 + p[$1] * gradients[$1] }
            for index in 0..<rows.count { gradients[index] = scale * p[index] * (gradients[index] - mean) }
        }
    }

    /// The mean that is subtracted, and what the rest is multiplied by.
    private static func statistics(
        _ inputs: UnsafePointer<Double>, _ count: Int, _ normalization: RowNormalization
    ) -> (mean: Double, factor: Double) {
        let mean = normalization.centers ? sum(inputs, count) / Double(count) : 0
        let squares = (0..<count).reduce(0) { $0 + (inputs[$1] - mean) * (inputs[$1] - mean) }
        return (mean, 1 / (squares / Double(count) + Double(normalization.epsilon)).squareRoot())
    }

    /// x̂ ∘ gain + bias of each row.
    public static func normalize(
        _ inputs: UnsafePointer<Double>, by normalization: RowNormalization, gain: UnsafePointer<Double>,
        bias: UnsafePointer<Double>, _ rows: Rows, into outputs: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<rows.rows {
            let (inputs, outputs) = (inputs + row * rows.count, outputs + row * rows.count)
            let (mean, factor) = statistics(inputs, rows.count, normalization)
            for index in 0..<rows.count {
                outputs[index] = (inputs[index] - mean) * factor * gain[index] + bias[index]
            }
        }
    }

    /// The way back of each row.
    public static func normalizeBackward(
        _ inputs: UnsafePointer<Double>, by normalization: RowNormalization, gain: UnsafePointer<Double>,
        outputGradients: UnsafePointer<Double>, _ rows: Rows, into inputGradients: UnsafeMutablePointer<Double>,
        gainGradient: UnsafeMutablePointer<Double>
    ) {
        let count = rows.count
        for row in 0..<rows.rows {
            let (inputs, errors) = (inputs + row * count, outputGradients + row * count)
            let (mean, factor) = statistics(inputs, count, normalization)
            var (sum, product) = (0.0, 0.0)
            for index in 0..<count {
                let x = (inputs[index] - mean) * factor
                gainGradient[index] += x * errors[index]
                sum += gain[index] * errors[index]
                product += gain[index] * errors[index] * x
            }
            if !normalization.centers { sum = 0 }
            for index in 0..<count {
                let x = (inputs[index] - mean) * factor
                inputGradients[row * count + index] =
                    factor * (gain[index] * errors[index] - sum / Double(count) - x * product / Double(count))
            }
        }
    }
}
