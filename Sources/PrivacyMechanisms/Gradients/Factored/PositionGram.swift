import LinearAlgebra

/// The squared norm of Σ_t a_t e_tᵀ from two Gram matrices, Σ_ts (a_t·a_s)(e_t·e_s): cheaper than the gradient itself
/// where positions are few.
///
/// **Guarantee:** the result is never below the squared norm of the Float32 gradient. With z = Σ_t ‖a_t‖‖e_t‖, the
/// Float64 sum errs by at most γ·z², and the gradient's own Float32 rounding adds at most γ_T·z to its norm. Both are
/// added, and where they are more than 2⁻⁹ of the norm, because positions cancel each other, there is no result.
struct PositionGram {
    let factor: SequenceFactor

    private var positions: Int { factor.positions }

    /// Nil where the gradient itself is cheaper: Float64 products take twice the time of Float32 ones.
    init?(factor: SequenceFactor) {
        let (positions, inputs, outputs) = (factor.positions, factor.inputs, factor.outputs)
        guard 4 * positions * positions * (inputs + outputs) < 2 * inputs * outputs * (positions + 4) else {
            return nil
        }
        self.factor = factor
    }

    /// The squared norm; nil where it is not known well enough.
    ///
    /// - Parameters:
    ///   - activations: a_t, a row for each position.
    ///   - outputGradients: e_t, likewise.
    ///   - size: z, a finite number.
    func squaredNorm(_ activations: StridedMatrix, _ outputGradients: StridedMatrix, size: Double) -> Double? {
        if size == 0 { return 0 }
        let kernels = Kernels.active
        let squares = positions * positions
        var sum = 0.0
        for position in 0..<positions {
            for other in 0...position {
                let product =
                    kernels.dot(activations.element(position, 0), activations.element(other, 0), factor.inputs)
                    * kernels.dot(
                        outputGradients.element(position, 0), outputGradients.element(other, 0), factor.outputs)
                sum += other == position ? product : 2 * product
            }
        }
        let terms = Double(factor.inputs + factor.outputs + squares + 8)
        let exact = (max(0, sum) + terms * 0x1p-53 * size * size).squareRoot()
        // The second term is for underflow of the Float32 products.
        let rounding =
            accumulatedRoundingError(positions + 1) * size
            + Double(factor.columns.count).squareRoot() * Double(positions) * 0x1p-125
        let norm = exact + rounding
        // Nothing of the gradient may overflow either: then it would be excluded as it is.
        guard sum > 0, size < 0x1p120, norm <= sum.squareRoot() * (1 + 0x1p-9) else { return nil }
        return norm * norm
    }
}
