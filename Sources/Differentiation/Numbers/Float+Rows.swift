import CPrivacyKernels

/// Chosen at first use; `DPK_LEVEL` in the environment can ask for a lower instruction set.
private let kernels = dpk_active_kernels().pointee.normalizations.pointee

extension RowNormalization {
    fileprivate var kernel: dpk_row_norm { dpk_row_norm(centers: centers ? 1 : 0, epsilon: epsilon) }
}

extension Float {
    /// The kernel: within 4 units in the last place, and 0 below e⁻⁸⁷.
    public static func exponentials(
        of inputs: UnsafePointer<Float>, minus offset: Float, _ count: Int, into outputs: UnsafeMutablePointer<Float>
    ) -> Float {
        kernels.exponentials(inputs, offset, count, outputs)
    }

    /// The kernel: eight sums at once.
    public static func sum(_ values: UnsafePointer<Float>, _ count: Int) -> Float { kernels.sum(values, count) }

    /// The kernel.
    public static func softmax(
        _ values: UnsafeMutablePointer<Float>, scale: Float, mask: UnsafePointer<Float>, _ rows: Rows
    ) {
        kernels.softmax(scale, mask, rows.rows, rows.count, rows.count, values)
    }

    /// The kernel.
    public static func softmaxBackward(
        _ gradients: UnsafeMutablePointer<Float>, probabilities: UnsafePointer<Float>, scale: Float, _ rows: Rows
    ) {
        kernels.softmax_backward(probabilities, scale, rows.rows, rows.count, rows.count, gradients)
    }

    /// The kernel.
    public static func normalize(
        _ inputs: UnsafePointer<Float>, by normalization: RowNormalization, gain: UnsafePointer<Float>,
        bias: UnsafePointer<Float>, _ rows: Rows, into outputs: UnsafeMutablePointer<Float>
    ) {
        kernels.normalize(normalization.kernel, gain, bias, inputs, rows.rows, rows.count, outputs)
    }

    /// The kernel.
    public static func normalizeBackward(
        _ inputs: UnsafePointer<Float>, by normalization: RowNormalization, gain: UnsafePointer<Float>,
        outputGradients: UnsafePointer<Float>, _ rows: Rows, into inputGradients: UnsafeMutablePointer<Float>,
        gainGradient: UnsafeMutablePointer<Float>
    ) {
        kernels.normalize_backward(
            normalization.kernel, gain, inputs, outputGradients, rows.rows, rows.count, inputGradients, gainGradient)
    }
}
