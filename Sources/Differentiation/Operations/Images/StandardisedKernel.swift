/// A kernel [inputs, outputs] whose columns have mean 0 and variance 1 over the inputs: ŵ = (w − mean)/s with
/// s = √(variance + 10⁻⁵).
///
/// Source: Qiao et al., arXiv 1903.10520; the summand is that of their code.
struct StandardisedKernel<Scalar: Real>: Sendable {
    /// ŵ.
    let values: [Scalar]
    /// 1/s, for each output.
    private let inverses: [Scalar]

    /// Sums are taken in Float64, in the order of the inputs.
    @_specialize(where Scalar == Float)
    init(_ kernel: UnsafeBufferPointer<Scalar>, outputs: Int) {
        let inputs = kernel.count / max(1, outputs)
        var (means, squares) = ([Double](repeating: 0, count: outputs), [Double](repeating: 0, count: outputs))
        for index in kernel.indices { means[index % outputs] += Double(kernel[index]) / Double(inputs) }
        for index in kernel.indices {
            let difference = Double(kernel[index]) - means[index % outputs]
            squares[index % outputs] += difference * difference
        }
        let inverses = squares.map { 1 / ($0 / Double(inputs) + 1e-5).squareRoot() }
        values = kernel.indices.map { index in
            Scalar((Double(kernel[index]) - means[index % outputs]) * inverses[index % outputs])
        }
        self.inverses = inverses.map { Scalar($0) }
    }

    /// The gradient by the kernel itself from that by ŵ, output by output:
    /// g ← (g − mean(g) − ŵ · mean(ŵ ∘ g))/s.
    @_specialize(where Scalar == Float)
    func mapBack(_ gradient: UnsafeMutableBufferPointer<Scalar>) {
        let outputs = inverses.count
        let share = Scalar(outputs) / Scalar(max(1, gradient.count))
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 2 * outputs) { sums in
            sums.initialize(repeating: 0)
            let (means, products) = (sums.baseAddress!, sums.baseAddress! + outputs)
            values.withUnsafeBufferPointer { values in
                inverses.withUnsafeBufferPointer { inverses in
                    for begin in stride(from: 0, to: gradient.count, by: max(1, outputs)) {
                        for output in 0..<outputs {
                            means[output] += gradient[begin + output]
                            products[output] += values[begin + output] * gradient[begin + output]
                        }
                    }
                    for begin in stride(from: 0, to: gradient.count, by: max(1, outputs)) {
                        for output in 0..<outputs {
                            let along = means[output] + values[begin + output] * products[output]
                            gradient[begin + output] = (gradient[begin + output] - share * along) * inverses[output]
                        }
                    }
                }
            }
        }
    }
}
