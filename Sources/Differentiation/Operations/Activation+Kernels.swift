import CPrivacyKernels

/// A block of numbers inside a larger matrix: `rows` × `count`, each row `stride` numbers after the one before.
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
    func apply<S: Real>(
        to values: UnsafeMutablePointer<S>, bias: UnsafePointer<S>, derivatives: UnsafeMutablePointer<S>, _ block: Block
    ) {
        if let values = values as? UnsafeMutablePointer<Float>, let bias = bias as? UnsafePointer<Float>,
            let derivatives = derivatives as? UnsafeMutablePointer<Float>
        {
            return applyKernel(to: values, bias: bias, derivatives: derivatives, block)
        }
        for row in 0..<block.rows {
            for column in 0..<block.count {
                let index = row * block.stride + column
                let (value, derivative) = valueAndDerivative(at: values[index] + bias[column])
                values[index] = value
                if keepsDerivatives { derivatives[index] = derivative }
            }
        }
    }

    /// outputGradients = outputGradients · f′, with f′ from the outputs, or from the derivatives where the activation
    /// keeps them.
    func multiplyByDerivative<S: Real>(
        _ outputGradients: UnsafeMutablePointer<S>, outputs: UnsafePointer<S>, derivatives: UnsafePointer<S>,
        _ block: Block
    ) {
        if let outputGradients = outputGradients as? UnsafeMutablePointer<Float>,
            let outputs = outputs as? UnsafePointer<Float>, let derivatives = derivatives as? UnsafePointer<Float>
        {
            return multiplyByKernel(outputGradients, outputs: outputs, derivatives: derivatives, block)
        }
        for row in 0..<block.rows {
            for index in row * block.stride..<row * block.stride + block.count {
                outputGradients[index] *= keepsDerivatives ? derivatives[index] : derivative(fromOutput: outputs[index])
            }
        }
    }

    private func applyKernel(
        to values: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, derivatives: UnsafeMutablePointer<Float>,
        _ block: Block
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

    private func multiplyByKernel(
        _ outputGradients: UnsafeMutablePointer<Float>, outputs: UnsafePointer<Float>,
        derivatives: UnsafePointer<Float>, _ block: Block
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

    private func valueAndDerivative<S: Real>(at x: S) -> (value: S, derivative: S) {
        switch self {
        case .identity: return (x, 1)
        case .relu: return (max(x, 0), x > 0 ? 1 : 0)
        case .tanh:
            let value = S.tanh(x)
            return (value, 1 - value * value)
        case .gelu:
            let factor = (2 / S.pi).squareRoot()
            let cubic: S = 0.044715
            let tangent = S.tanh(factor * (x + cubic * x * x * x))
            let slope = (1 - tangent * tangent) * factor * (1 + 3 * cubic * x * x)
            return (x * (1 + tangent) / 2, (1 + tangent + x * slope) / 2)
        case .temperedSigmoid(let scale, let temperature, let offset):
            let value = S(scale) / (1 + S.exp(-S(temperature) * x)) - S(offset)
            return (value, derivative(fromOutput: value))
        }
    }

    private func derivative<S: Real>(fromOutput y: S) -> S {
        switch self {
        case .identity, .gelu: return 1
        case .relu: return y > 0 ? 1 : 0
        case .tanh: return 1 - y * y
        case .temperedSigmoid(let scale, let temperature, let offset):
            let share = (y + S(offset)) / S(scale)
            return S(temperature) * S(scale) * share * (1 - share)
        }
    }
}
