import PyTrees
import Requirements

/// A kernel slid over an image: a dense map of every patch.
struct ConvolutionOperation: Operation {
    let size: Int
    let stride: Int
    let padding: Int
    /// One whose derivative is had from the outputs.
    let activation: Activation
    /// Whether the kernel is standardised before use, see ``StandardisedKernel``.
    let isStandardised: Bool

    private func window(_ inputs: [[Int]]) -> ImageWindow {
        ImageWindow(over: inputs[0], size: size, stride: stride, padding: padding)
    }

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let (window, kernel) = (window(inputs), parameters[0])
        require(
            kernel.count == 2 && kernel[0] == window.patchLength,
            "A kernel of shape \(kernel) does not fit patches of \(size) × \(size) × \(window.channels) numbers: its "
                + "first dimension has to be \(window.patchLength).")
        require(
            !isStandardised || kernel[0] > 1,
            "A kernel of shape \(kernel) has one input, and nothing in it to be standardised.")
        require(
            parameters[1] == [kernel[1]], "A bias of shape \(parameters[1]) does not fit a kernel of shape \(kernel).")
        return [window.outputHeight, window.outputWidth, kernel[1]]
    }

    /// The patches.
    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int { patchCount(inputs) }

    /// The gradients of the patches.
    func scratchCount(inputs: [[Int]], parameters: [[Int]]) -> Int { patchCount(inputs) }

    private func patchCount(_ inputs: [[Int]]) -> Int { window(inputs).positions * window(inputs).patchLength }

    /// Examples whose patches, some two hundred, are multiplied at once: they stay in cache, and the kernel is copied
    /// to panels once for them.
    private func blockLength(_ window: ImageWindow) -> Int { max(1, 200 / window.positions) }

    /// Calls `body` with the kernel that patches are multiplied by. To make it again on the way back costs less than a
    /// patch.
    private func withKernel<S: Real>(_ pass: ForwardPass<S>, _ body: (UnsafePointer<S>) -> Void) {
        guard isStandardised else { return body(pass.parameter(0).baseAddress!) }
        StandardisedKernel(pass.parameter(0), outputs: pass.parameterShapes[0][1]).values.withUnsafeBufferPointer {
            body($0.baseAddress!)
        }
    }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        withKernel(pass) { forward(pass, kernel: $0) }
    }

    private func forward<S: Real>(_ pass: ForwardPass<S>, kernel: UnsafePointer<S>) {
        let (window, outputs) = (window(pass.inputShapes), pass.parameterShapes[0][1])
        let bias = pass.parameter(1).baseAddress!
        pass.forEachBlock(of: blockLength(window), work: patchCount(pass.inputShapes)) { examples, _ in
            let rows = examples.count * window.positions
            let (patches, output) = (pass.saved(of: examples.lowerBound), pass.output(of: examples.lowerBound))
            for example in examples {
                window.copyPatches(
                    of: pass.input(0, of: example).baseAddress!, to: pass.saved(of: example).baseAddress!)
            }
            S.multiplyOnThisThread(
                rows: rows, columns: outputs, inner: window.patchLength,
                Strided(UnsafePointer(patches.baseAddress!), stride: window.patchLength),
                Strided(kernel, stride: outputs), into: output.baseAddress!)
            activation.apply(
                to: output.baseAddress!, bias: bias, derivatives: patches.baseAddress!,
                Block(rows: rows, count: outputs, stride: outputs))
        }
    }

    /// The images' gradients: E·Kᵀ gives those of the patches, which are added up where patches overlap.
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        withKernel(pass.forward) { backward(pass, kernel: $0) }
    }

    private func backward<S: Real>(_ pass: BackwardPass<S>, kernel: UnsafePointer<S>) {
        let (window, outputs) = (window(pass.forward.inputShapes), pass.forward.parameterShapes[0][1])
        let length = window.positions * window.patchLength
        pass.forEachBlock(of: blockLength(window), work: length) { examples, patches in
            let rows = examples.count * window.positions
            let outputGradient = pass.outputGradient(of: examples.lowerBound).baseAddress!
            activation.multiplyByDerivative(
                outputGradient, outputs: pass.output(of: examples.lowerBound).baseAddress!,
                derivatives: UnsafePointer(outputGradient), Block(rows: rows, count: outputs, stride: outputs))
            if pass.inputGradient(0) == nil { return }
            S.multiplyOnThisThread(
                rows: rows, columns: window.patchLength, inner: outputs,
                Strided(UnsafePointer(outputGradient), stride: outputs),
                Strided(kernel, stride: outputs).transposed, into: patches.baseAddress!)
            for example in examples {
                let image = pass.inputGradient(0, of: example)!
                image.update(repeating: 0)
                window.addPatches(
                    UnsafePointer(patches.baseAddress! + (example - examples.lowerBound) * length),
                    to: image.baseAddress!)
            }
        }
    }

    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] {
        let (window, outputs) = (window(pass.forward.inputShapes), pass.forward.parameterShapes[0][1])
        let outputGradients = pass.outputGradientBlock(columns: outputs)
        let patches = pass.savedNumbers.reshaped(columns: window.patchLength)
        let kernel: ParameterGradient<S>
        if isStandardised {
            let standardised = StandardisedKernel(pass.parameter(0), outputs: outputs)
            kernel = .mapped(
                activations: patches, outputGradients: outputGradients, positions: window.positions,
                map: standardised.mapBack)
        } else {
            kernel = .outer(activations: patches, outputGradients: outputGradients, positions: window.positions)
        }
        return [kernel, .sums(outputGradients: outputGradients, positions: window.positions)]
    }
}

extension Value {
    /// f(K·patch + b) for the patch at every position of an image: shape `[height′, width′, outputs]`.
    ///
    /// Patches of `size` × `size` pixels, `stride` apart, of an image that `padding` rows and columns of zeros
    /// surround. The kernel has the shape `[size · size · channels, outputs]`, in the order of the image, and the bias
    /// `[outputs]`. Traps unless they fit, and unless the value has the shape `[height, width, channels]`.
    ///
    /// - `isStandardised`: whether the kernel of each output is brought to mean 0 and variance 1 before use:
    ///   ŵ = (w − mean)/√(variance + 10⁻⁵) over its inputs, of which there have to be at least two. Source: Qiao et
    ///   al., arXiv 1903.10520.
    public func convolved(
        kernel: Tensor, bias: Tensor, size: Int, stride: Int = 1, padding: Int = 0, activation: Activation = .identity,
        isStandardised: Bool = false
    ) -> Value {
        let inner = activation.keepsDerivatives ? .identity : activation
        let result = applying(
            ConvolutionOperation(
                size: size, stride: stride, padding: padding, activation: inner, isStandardised: isStandardised),
            parameters: [kernel, bias], keepsPositions: false)
        return activation.keepsDerivatives ? result.activated(by: activation) : result
    }
}
