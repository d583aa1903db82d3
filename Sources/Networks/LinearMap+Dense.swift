import LinearAlgebra

extension LinearMap {
    /// The kernel, inputs × outputs.
    func matrix(_ parameters: UnsafePointer<Float>) -> StridedMatrix {
        StridedMatrix(parameters + kernel.range.lowerBound, stride: outputs)
    }

    /// Y = f(XK + b): one product, with bias and activation on each thread's part while it is in cache.
    func forward(
        _ inputs: UnsafePointer<Float>, batch: Int, _ parameters: UnsafePointer<Float>, _ layer: LayerPointers
    ) {
        let bias = parameters + bias.range.lowerBound
        RowwiseProduct.multiply(
            rows: batch, columns: outputs, inner: self.inputs, StridedMatrix(inputs, stride: self.inputs),
            matrix(parameters), into: layer.outputs
        ) { rows, columns in
            let offset = rows.lowerBound * outputs + columns.lowerBound
            activation.apply(
                to: layer.outputs + offset, bias: bias + columns.lowerBound, derivatives: layer.derivatives + offset,
                Block(rows: rows.count, count: columns.count, stride: outputs))
        }
    }

    /// The output gradients of the layer before: (E·Kᵀ) ∘ f′, with f the activation of that layer.
    func backward(
        _ outputGradients: UnsafePointer<Float>, batch: Int, _ parameters: UnsafePointer<Float>, _ previous: Activation,
        _ before: LayerPointers
    ) {
        RowwiseProduct.multiply(
            rows: batch, columns: inputs, inner: outputs, StridedMatrix(outputGradients, stride: outputs),
            matrix(parameters).transposed, into: before.outputGradients
        ) { rows, columns in
            let offset = rows.lowerBound * inputs + columns.lowerBound
            previous.multiplyByDerivative(
                before.outputGradients + offset, outputs: before.outputs + offset,
                derivatives: before.derivatives + offset,
                Block(rows: rows.count, count: columns.count, stride: inputs))
        }
    }
}
