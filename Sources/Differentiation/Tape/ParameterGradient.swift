/// Each example's gradient of one parameter, in the form in which backpropagation knows it.
///
/// Blocks have a row for each example, or `positions` rows beside each other. They are read until the next run.
public enum ParameterGradient<Scalar: Real>: Sendable {
    /// Σ_t a_t e_tᵀ, for a parameter of shape [activations.columns, outputGradients.columns].
    case outer(activations: NumberBlock<Scalar>, outputGradients: NumberBlock<Scalar>, positions: Int)
    /// The same after a linear map that is the same for all examples: as of a kernel that is standardised before use.
    case mapped(
        activations: NumberBlock<Scalar>, outputGradients: NumberBlock<Scalar>, positions: Int,
        map: @Sendable (UnsafeMutableBufferPointer<Scalar>) -> Void)
    /// Σ_t onehot(index_t) e_tᵀ, for a table of shape [rows, outputGradients.columns]. An index of −1 is padding.
    case lookup(indices: [Int], outputGradients: NumberBlock<Scalar>, positions: Int)
    /// Σ_t e_t, for a parameter of outputGradients.columns elements.
    case sums(outputGradients: NumberBlock<Scalar>, positions: Int)
    /// The gradients as they are: examples × elements.
    case rows(NumberBlock<Scalar>)
}
