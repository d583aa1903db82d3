import PyTrees
import Requirements

/// Which states of a recurrence are its output.
public enum ReturnedStates: String, Codable, CaseIterable, Hashable, Sendable {
    /// The state after every position: shape `[positions, width]`.
    case all
    /// The state after the last position that is not padding: shape `[width]`.
    case last
}

/// States over positions: h_t is a function of h_{t−1} and of what a dense map has made of the input at t.
///
/// A block of examples takes each step together, as one product with the recurrent kernel. Position by position it
/// keeps, in parts of their own: the gates, what else the cell needs, and the states before each position.
struct Recurrence: Operation {
    let cell: RecurrentCell
    let returned: ReturnedStates

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let (shape, kernel) = (inputs[0], parameters[0])
        require(
            kernel.count == 2 && kernel[1] == cell.gateCount * kernel[0] && kernel[0] > 0,
            "A recurrent kernel of shape \(kernel) does not fit \(cell): it has to have the shape [width, "
                + "\(cell.gateCount) · width].")
        require(
            shape.count == 2 && shape[0] > 0 && shape[1] == kernel[1],
            "Gates of shape \(shape) do not fit a recurrent kernel of shape \(kernel): they have to have the shape "
                + "[positions, \(kernel[1])].")
        require(
            parameters[1] == [kernel[1]],
            "A recurrent bias of shape \(parameters[1]) does not fit a recurrent kernel of shape \(kernel).")
        return returned == .all ? [shape[0], kernel[0]] : [kernel[0]]
    }

    func isDifferentiable(input index: Int) -> Bool { index == 0 }

    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int {
        inputs[0][0] * parameters[0][0] * (cell.gateCount + 2)
    }

    /// Products, and gradients of states on their way back.
    func scratchCount(inputs: [[Int]], parameters: [[Int]]) -> Int { parameters[0][0] * (cell.gateCount + 4) }

    /// Examples that take a step together: the kernel is copied to panels once for them, and their products stay in a
    /// core's cache.
    private static var blockLength: Int { 128 }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let width = pass.parameterShapes[0][0]
        let wide = cell.gateCount * width
        let positions = pass.inputShapes[0][0]
        let kernel = Strided(pass.parameter(0).baseAddress!, stride: wide)
        forEachBlock(pass) { examples, scratch in
            var step = RecurrentStep(
                pass, cell: cell, examples: examples, products: scratch, rest: scratch + examples.count * wide)
            step.zeros.update(repeating: 0, count: width)
            step.products.update(repeating: 0, count: examples.count * wide)
            for example in 0..<examples.count { step.previous(example).update(repeating: 0, count: width) }
            for position in 0..<positions {
                step.position = position
                if position > 0 {
                    S.multiplyOnThisThread(
                        rows: examples.count, columns: wide, inner: width,
                        Strided(UnsafePointer(step.previous(0)), stride: positions * width), kernel,
                        into: step.products)
                }
                cell.forward(step)
                for example in 0..<examples.count where !step.isThere(example) {
                    step.next(example).update(from: step.previous(example), count: width)
                    if cell.keepsState { step.kept(example).update(from: step.keptBefore(example), count: width) }
                }
                step.writeOutputs(returned)
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let forward = pass.forward
        let width = forward.parameterShapes[0][0]
        let wide = cell.gateCount * width
        let positions = forward.inputShapes[0][0]
        let kernel = Strided(pass.parameter(0).baseAddress!, stride: wide).transposed
        forEachBlock(forward) { examples, scratch in
            var step = RecurrentStep(
                forward, cell: cell, examples: examples, products: scratch, rest: scratch + examples.count * wide)
            step.zeros.update(repeating: 0, count: width)
            step.stateGradients.update(repeating: 0, count: examples.count * width)
            step.keptGradients.update(repeating: 0, count: examples.count * width)
            for position in (0..<positions).reversed() {
                step.position = position
                if returned == .all || position == positions - 1 {
                    step.addOutputGradients(pass.outputGradient, returned)
                }
                let offset = (examples.lowerBound * positions + position) * wide
                cell.backward(step, inputGradients: pass.inputGradient(0).map { $0 + offset })
                if position == 0 { break }
                S.multiplyOnThisThread(
                    rows: examples.count, columns: width, inner: wide,
                    Strided(UnsafePointer(step.gates(0)), stride: positions * wide), kernel, into: step.products)
                S.add(UnsafePointer(step.products), to: step.stateGradients, count: examples.count * width)
            }
        }
    }

    private func forEachBlock<S: Real>(
        _ pass: ForwardPass<S>, _ body: (_ examples: Range<Int>, _ scratch: UnsafeMutablePointer<S>) -> Void
    ) {
        let (shape, width) = (pass.inputShapes[0], pass.parameterShapes[0][0])
        pass.forEachBlock(of: Self.blockLength, work: shape[0] * shape[1] * (16 + width / 4)) { examples, scratch in
            body(examples, scratch.baseAddress!)
        }
    }

    /// The gates' gradients times the states before them; where there is padding they are exactly zero.
    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] {
        let (positions, width) = (pass.forward.inputShapes[0][0], pass.forward.parameterShapes[0][0])
        let wide = cell.gateCount * width
        let gates = pass.savedBlock(at: 0, count: positions * wide, columns: wide)
        let states = pass.savedBlock(
            at: positions * (wide + width), count: positions * width, columns: width)
        return [
            .outer(activations: states, outputGradients: gates, positions: positions),
            .sums(outputGradients: gates, positions: positions),
        ]
    }
}

extension Value {
    /// The states of gated recurrent units over the positions, beginning at zero; gates in PyTorch's order r, z, n.
    ///
    ///     r_t = σ(x_t W_r + b_r + h_{t−1} U_r + c_r)
    ///     z_t = σ(x_t W_z + b_z + h_{t−1} U_z + c_z)
    ///     n_t = tanh(x_t W_n + b_n + r_t ∘ (h_{t−1} U_n + c_n))
    ///     h_t = (1 − z_t) ∘ n_t + z_t ∘ h_{t−1}
    ///
    /// At a position that is padding the state stays as it is. Source: Cho et al., arXiv 1406.1078, with the reset
    /// gate after the product, as PyTorch and cuDNN have it.
    ///
    /// Traps unless the value has the shape `[positions, inputs]`.
    ///
    /// - Parameters:
    ///   - inputKernel: W, shape `[inputs, 3 · width]`.
    ///   - recurrentKernel: U, shape `[width, 3 · width]`.
    ///   - inputBias: b, shape `[3 · width]`.
    ///   - recurrentBias: c, shape `[3 · width]`.
    ///   - states: which of the states h_t are the output.
    public func gru(
        inputKernel: Tensor, recurrentKernel: Tensor, inputBias: Tensor, recurrentBias: Tensor,
        returning states: ReturnedStates = .all
    ) -> Value {
        recurrent(.gru, inputKernel, recurrentKernel, inputBias, recurrentBias, states)
    }

    /// The states of long short-term memory over the positions, beginning at zero; gates in PyTorch's order i, f, g, o.
    ///
    ///     (i, f, o)_t = σ(x_t W + b + h_{t−1} U + c), each with its own columns
    ///     g_t = tanh(x_t W_g + b_g + h_{t−1} U_g + c_g)
    ///     m_t = f_t ∘ m_{t−1} + i_t ∘ g_t
    ///     h_t = o_t ∘ tanh(m_t)
    ///
    /// At a position that is padding, state h and memory m stay as they are. Source: Hochreiter and Schmidhuber, 1997,
    /// with the forget gate of Gers et al., 2000.
    ///
    /// Traps unless the value has the shape `[positions, inputs]`.
    ///
    /// - Parameters:
    ///   - inputKernel: W, shape `[inputs, 4 · width]`.
    ///   - recurrentKernel: U, shape `[width, 4 · width]`.
    ///   - inputBias: b, shape `[4 · width]`.
    ///   - recurrentBias: c, shape `[4 · width]`.
    ///   - states: which of the states h_t are the output.
    public func lstm(
        inputKernel: Tensor, recurrentKernel: Tensor, inputBias: Tensor, recurrentBias: Tensor,
        returning states: ReturnedStates = .all
    ) -> Value {
        recurrent(.lstm, inputKernel, recurrentKernel, inputBias, recurrentBias, states)
    }

    /// The products with the input kernel are those of a dense map of all positions, and so is that kernel's gradient.
    private func recurrent(
        _ cell: RecurrentCell, _ inputKernel: Tensor, _ recurrentKernel: Tensor, _ inputBias: Tensor,
        _ recurrentBias: Tensor, _ states: ReturnedStates
    ) -> Value {
        require(
            shape.count == 2,
            "A recurrence runs over the positions of a sequence, and a value of shape \(shape) has none.")
        let gates = dense(kernel: inputKernel, bias: inputBias)
        return gates.applying(
            Recurrence(cell: cell, returned: states), inputs: maskInput, parameters: [recurrentKernel, recurrentBias],
            mask: states == .all ? mask : nil)
    }
}
