import PyTrees
import Requirements

/// y = f(xK + b) at every position.
struct DenseOperation: Operation {
    let activation: Activation
    let hasBias: Bool

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let (shape, kernel) = (inputs[0], parameters[0])
        require(
            kernel.count == 2 && shape.last == kernel[0],
            "A value of shape \(shape) does not fit a kernel of shape \(kernel): its last dimension has to be the "
                + "kernel's first.")
        if hasBias {
            require(
                parameters[1] == [kernel[1]],
                "A bias of shape \(parameters[1]) does not fit a kernel of shape \(kernel).")
        }
        return shape.dropLast() + [kernel[1]]
    }

    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int {
        activation.keepsDerivatives ? outputShape(inputs: inputs, parameters: parameters).reduce(1, *) : 0
    }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let (inner, columns) = (pass.parameterShapes[0][0], pass.parameterShapes[0][1])
        withBias(pass) { bias in
            S.multiply(
                rows: pass.exampleCount * pass.outputCount / max(1, columns), columns: columns, inner: inner,
                Strided(pass.input(0), stride: inner),
                Strided(pass.parameter(0).baseAddress!, stride: columns), into: pass.output
            ) { rows, part in
                let offset = rows.lowerBound * columns + part.lowerBound
                activation.apply(
                    to: pass.output + offset, bias: bias + part.lowerBound,
                    derivatives: pass.saved + (activation.keepsDerivatives ? offset : 0),
                    Block(rows: rows.count, count: part.count, stride: columns))
            }
        }
    }

    private func withBias<S: Real>(_ pass: ForwardPass<S>, _ body: (UnsafePointer<S>) -> Void) {
        if hasBias { return body(pass.parameter(1).baseAddress!) }
        withUnsafeTemporaryAllocation(of: S.self, capacity: pass.parameterShapes[0][1]) { zeros in
            zeros.initialize(repeating: 0)
            body(zeros.baseAddress!)
        }
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let forward = pass.forward
        let (inner, columns) = (forward.parameterShapes[0][0], forward.parameterShapes[0][1])
        if activation != .identity {
            pass.forEachExample { example in
                let offset = example * forward.outputCount
                activation.multiplyByDerivative(
                    pass.outputGradient + offset, outputs: forward.output + offset,
                    derivatives: forward.saved + (activation.keepsDerivatives ? offset : 0),
                    Block(rows: 1, count: forward.outputCount, stride: forward.outputCount))
            }
        }
        guard let gradient = pass.inputGradient(0) else { return }
        S.multiply(
            rows: pass.exampleCount * forward.outputCount / max(1, columns), columns: inner, inner: columns,
            Strided(pass.outputGradient, stride: columns),
            Strided(pass.parameter(0).baseAddress!, stride: columns).transposed, into: gradient)
    }

    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] {
        let (inner, columns) = (pass.forward.parameterShapes[0][0], pass.forward.parameterShapes[0][1])
        let positions = pass.forward.outputCount / max(1, columns)
        let outputGradients = pass.outputGradientBlock(columns: columns)
        let kernel = ParameterGradient.outer(
            activations: pass.inputBlock(0, columns: inner), outputGradients: outputGradients, positions: positions)
        return hasBias ? [kernel, .sums(outputGradients: outputGradients, positions: positions)] : [kernel]
    }
}

extension Value {
    /// f(xK + b) at every position: shape `[…, outputs]`.
    ///
    /// Traps unless the kernel has the shape `[features, outputs]` and the bias `[outputs]`.
    public func dense(kernel: Tensor, bias: Tensor? = nil, activation: Activation = .identity) -> Value {
        applying(
            DenseOperation(activation: activation, hasBias: bias != nil),
            parameters: [kernel] + (bias.map { [$0] } ?? []))
    }
}
