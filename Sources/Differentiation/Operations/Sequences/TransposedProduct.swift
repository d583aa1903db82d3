import PyTrees
import Requirements

/// y = x·Eᵀ at every position.
struct TransposedProduct: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let (shape, table) = (inputs[0], parameters[0])
        require(
            table.count == 2 && shape.last == table[1],
            "A value of shape \(shape) does not fit a table of shape \(table): both have to have the same last "
                + "dimension.")
        return shape.dropLast() + [table[0]]
    }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let (rows, width) = (pass.parameterShapes[0][0], pass.parameterShapes[0][1])
        S.multiply(
            rows: pass.exampleCount * pass.outputCount / max(1, rows), columns: rows, inner: width,
            Strided(pass.input(0), stride: width),
            Strided(pass.parameter(0).baseAddress!, stride: width).transposed, into: pass.output)
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {
        guard let gradient = pass.inputGradient(0) else { return }
        let (rows, width) = (pass.forward.parameterShapes[0][0], pass.forward.parameterShapes[0][1])
        S.multiply(
            rows: pass.exampleCount * pass.forward.outputCount / max(1, rows), columns: width, inner: rows,
            Strided(UnsafePointer(pass.outputGradient), stride: rows),
            Strided(pass.parameter(0).baseAddress!, stride: width), into: gradient)
    }

    /// ∂/∂E = Σ_t e_t x_tᵀ.
    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] {
        let (rows, width) = (pass.forward.parameterShapes[0][0], pass.forward.parameterShapes[0][1])
        return [
            .outer(
                activations: pass.outputGradientBlock(columns: rows),
                outputGradients: pass.inputBlock(0, columns: width),
                positions: pass.forward.outputCount / max(1, rows))
        ]
    }
}

extension Value {
    /// x·Eᵀ at every position, with a table E of shape `[rows, features]`: a number for each row, shape `[…, rows]`.
    ///
    /// With the table of an embedding it is the tied head of a language model (arXiv 1608.05859). Traps unless the
    /// table's last dimension is the value's.
    public func multiplied(byTransposed table: Tensor) -> Value { applying(TransposedProduct(), parameters: [table]) }
}
