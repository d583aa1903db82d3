import LinearAlgebra

/// The kernel of a dense layer: G_i = a_i e_iᵀ, never multiplied out for more than one example at a time.
struct OuterFactor: GradientFactor {
    let columns: Range<Int>
    /// Examples × in.
    let activations: Matrix
    /// Examples × out.
    let outputGradients: Matrix

    /// ‖a_i‖²·‖e_i‖² in Float64, or the norms under a scale.
    ///
    /// Squares of Float32 numbers neither overflow nor vanish in Float64, nor do their products: 1e-45 to the fourth is
    /// 1e-180.
    func squaredNorms(of examples: Range<Int>, under scale: UnsafePointer<Float>?, into norms: inout [Double]) {
        let squaredActivations = activations.squaredRowNorms(examples)
        let squaredErrors = outputGradients.squaredRowNorms(examples)
        guard let scale else {
            for index in norms.indices { norms[index] = squaredActivations[index] * squaredErrors[index] }
            return
        }
        ScaledOuterNorms(
            factor: self, examples: examples, scale: scale, squaredActivations: squaredActivations,
            squaredErrors: squaredErrors
        ).write(to: &norms)
    }

    func copyGradient(of example: Int, into row: UnsafeMutablePointer<Float>) {
        let kernels = Kernels.active
        let error = outputGradients.unsafeRow(example)
        let activation = activations.unsafeRow(example)
        for input in 0..<activations.columns {
            kernels.scaled(
                error, Double(activation[input]), outputGradients.columns, row + input * outputGradients.columns)
        }
    }
}
