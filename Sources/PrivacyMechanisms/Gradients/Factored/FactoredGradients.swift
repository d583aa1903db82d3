import LinearAlgebra
import PyTrees
import Requirements

/// Per-example gradients as the factors that backpropagation makes them of: activations and output gradients.
///
/// The examples × parameters matrix is never formed. A batch is a list of parts that together have every leaf of the
/// layout exactly once. Dense layers answer question 1 with ‖a‖²‖e‖², or with one matrix product under a scale, and
/// question 2 with one matrix product (ghost clipping: arXiv 2110.05679, section 4; with positions arXiv 2205.10683).
/// Layers with positions take Gram matrices of the positions or form one example's gradient at a time, whichever is
/// cheaper; embeddings touch the rows in use.
///
/// **Guarantee:**
///
/// - No norm is below the true one but for Float64 rounding. Float32 products are rounded up: by a relative 4e-5 at
///   most in the square, those of Gram matrices by 2⁻⁸.
/// - Activations and output gradients that are not finite give a norm that is not finite, and so does an example with
///   positions whose gradient overflows Float32. Such an example is excluded, as it would be as a dense row.
/// - An exact sum has no rounding that depends on more than one example: a dense layer's gradients are taken as outer
///   products of rows of 16-bit whole numbers, all others are rounded to the grid element by element. One example moves
///   the sum by at most Δ. No bit of it depends on the order of the examples, on microbatches or on threads.
/// - A floating-point sum differs from the one in Float64 by the rounding of the products of dense layers only: with
///   γ_n = n·2⁻²⁴/(1 − n·2⁻²⁴), for B examples clipped to C, in norm by at most γ₆₉·Σ|κ_i|‖g_i‖ ≤ 4.12e-6·B·C. In the
///   worst case, removing an example therefore moves the sum by Δ·(1 + 8.3e-6·B): 0.2 % above the sensitivity Δ at
///   B = 256. It does not depend on the number of threads.
public struct FactoredGradients: PerExampleGradients {
    /// The gradients of one layer's leaves.
    ///
    /// Matrices have a row for each example; where there are positions (of a sequence or an image), the rows of an
    /// example lie beside each other: example i has rows i·positions ..< (i + 1)·positions.
    public enum Part: Sendable {
        /// G_i = a_i e_iᵀ for a kernel of shape [in, out], and e_i for a bias of shape [out].
        ///
        /// Activations are examples × in, output gradients examples × out.
        case dense(kernel: TreePath, bias: TreePath?, activations: Matrix, outputGradients: Matrix)
        /// G_i = Σ_t a_it e_itᵀ for a kernel of shape [in, out], and Σ_t e_it for a bias of shape [out].
        ///
        /// Activations are (examples · positions) × in, output gradients (examples · positions) × out.
        case sequence(kernel: TreePath, bias: TreePath?, activations: Matrix, outputGradients: Matrix, positions: Int)
        /// G_i = Σ_t onehot(index_it) e_itᵀ for a table of shape [rows, width].
        ///
        /// There are examples · positions indices, with -1 for positions that are only padding, and as many rows of
        /// output gradients, each as wide as the table.
        case embedding(table: TreePath, indices: [Int], outputGradients: Matrix, positions: Int)
        /// Gradients that are known as they are: an examples × elements matrix for leaves that follow each other in
        /// the layout.
        case rows(leaves: [TreePath], Matrix)
        /// The sum of several uses of one leaf, as of tied weights: each of the parts is of this leaf alone. Without a
        /// part, the gradient is zero.
        case joined(leaf: TreePath, [Part])
        /// The gradients of `part`, which is of one leaf, after a linear map that is the same for all examples: it
        /// changes one example's gradient in place.
        ///
        /// The map must depend on the gradient that it is given and on parameters alone.
        indirect case mapped(Part, _ map: @Sendable (UnsafeMutableBufferPointer<Float>) -> Void)
    }

    /// The parameters' layout.
    public let layout: TreeLayout
    /// The number of examples, padding included.
    public let exampleCount: Int
    /// The parts, one for each layer.
    public let parts: [Part]
    /// One loss per example, where they were given. Not private.
    public let nonPrivateLosses: [Float]?

    /// The factors from which per-example norms and the clipped sum are computed, one for each leaf.
    let factors: [any GradientFactor]

    /// Gradients made of `parts`.
    ///
    /// Throws unless every leaf of the layout is in exactly one part, every shape fits, and every index of an embedding
    /// is -1 or a row of its table; `lossCountMismatch` if there are losses, but not one per example. Traps if
    /// `exampleCount` is negative.
    public init(
        layout: TreeLayout, exampleCount: Int, parts: [Part], nonPrivateLosses: [Float]? = nil
    ) throws(PrivacyMechanismError) {
        require(exampleCount >= 0, "A batch cannot have \(exampleCount) examples.")
        if let nonPrivateLosses, nonPrivateLosses.count != exampleCount {
            throw .lossCountMismatch(losses: nonPrivateLosses.count, exampleCount: exampleCount)
        }
        var resolver = FactorResolver(layout: layout, exampleCount: exampleCount)
        var factors: [any GradientFactor] = []
        for part in parts { try factors.append(contentsOf: resolver.factors(of: part)) }
        try resolver.checkEveryLeafIsTaken()
        self.layout = layout
        self.exampleCount = exampleCount
        self.parts = parts
        self.nonPrivateLosses = nonPrivateLosses
        self.factors = factors
    }
}
