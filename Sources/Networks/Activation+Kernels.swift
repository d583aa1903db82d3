import CPrivacyKernels

/// A block of numbers inside a larger matrix: `rows` × `count`, each row `stride` elements after the one before.
struct Block {
    let rows: Int
    let count: Int
    let stride: Int
}

extension Activation {
    /// Chosen at first use; `DPK_LEVEL` in the environment can ask for a lower instruction set.
    static let kernels = dpk_active_kernels().pointee.activations.pointee

    /// Whether the derivative is not had from the output alone.
    var keepsDerivatives: Bool { self == .gelu }

    /// values = f(values + bias), and the derivatives beside them where the activation keeps them.
    func apply(
        to values: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>,
        derivatives: UnsafeMutablePointer<Float>, _ block: Block
    ) {
        let (rows, count, stride) = (block.rows, block.count, block.stride)
        switch self {
        case .identity: Self.kernels.identity(bias, rows, count, stride, values)
        case .relu: Self.kernels.relu(bias, rows, count, stride, values)
        case .tanh: Self.kernels.tanh(bias, rows, count, stride, values)
        case .gelu: Self.kernels.gelu(bias, rows, count, stride, values, derivatives)
        case .temperedSigmoid(let scale, let temperature, let offset):
            let constants = dpk_sigmoid(scale: scale, temperature: temperature, offset: offset)
            Self.kernels.tempered_sigmoid(constants, bias, rows, count, stride, values)
        }
    }

    /// outputGradients = outputGradients · f′, with f′ from the outputs, or from the derivatives where the activation
    /// keeps them.
    func multiplyByDerivative(
        _ outputGradients: UnsafeMutablePointer<Float>, outputs: UnsafePointer<Float>,
        derivatives: UnsafePointer<Float>,
        _ block: Block
    ) {
        let (rows, count, stride) = (block.rows, block.count, block.stride)
        switch self {
        case .identity: break
        case .relu: Self.kernels.relu_backward(outputs, rows, count, stride, outputGradients)
        case .tanh: Self.kernels.tanh_backward(outputs, rows, count, stride, outputGradients)
        case .gelu: Self.kernels.multiply(derivatives, rows, count, stride, outputGradients)
        case .temperedSigmoid(let scale, let temperature, let offset):
            let constants = dpk_sigmoid(scale: scale, temperature: temperature, offset: offset)
            Self.kernels.tempered_sigmoid_backward(constants, outputs, rows, count, stride, outputGradients)
        }
    }
}
