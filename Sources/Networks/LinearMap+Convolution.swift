import LinearAlgebra

extension LinearMap {
    /// Patches and their product with the kernel, a few examples at a time, so that both stay in cache.
    func forward(
        _ images: UnsafePointer<Float>, batch: Int, _ window: ImageWindow, _ parameters: UnsafePointer<Float>,
        _ layer: LayerPointers
    ) {
        forEachBlock(of: batch, window) { examples in
            let first = examples.lowerBound * window.positions
            let rows = examples.count * window.positions
            for example in examples {
                window.copyPatches(
                    of: images + example * window.inputCount,
                    to: layer.patches + example * window.positions * inputs)
            }
            RowwiseProduct.multiplyOnThisThread(
                rows: rows, columns: outputs, inner: inputs,
                StridedMatrix(layer.patches + first * inputs, stride: inputs), matrix(parameters),
                into: layer.outputs + first * outputs)
            activation.apply(
                to: layer.outputs + first * outputs, bias: parameters + bias.range.lowerBound,
                derivatives: layer.derivatives + first * outputs, Block(rows: rows, count: outputs, stride: outputs))
        }
    }

    /// The images' output gradients: E·Kᵀ gives those of the patches, which are added up where patches overlap.
    func backward(
        _ outputGradients: UnsafePointer<Float>, batch: Int, _ window: ImageWindow, _ parameters: UnsafePointer<Float>,
        _ imageErrors: UnsafeMutablePointer<Float>, _ finish: (_ example: Int) -> Void
    ) {
        forEachBlock(of: batch, window) { examples in
            let rows = examples.count * window.positions
            withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * inputs) { patches in
                let patches = patches.baseAddress!
                RowwiseProduct.multiplyOnThisThread(
                    rows: rows, columns: inputs, inner: outputs,
                    StridedMatrix(outputGradients + examples.lowerBound * window.positions * outputs, stride: outputs),
                    matrix(parameters).transposed, into: patches)
                for example in examples {
                    let image = imageErrors + example * window.inputCount
                    image.update(repeating: 0, count: window.inputCount)
                    window.addPatches(
                        patches + (example - examples.lowerBound) * window.positions * inputs, to: image)
                    finish(example)
                }
            }
        }
    }

    /// Shares blocks of examples among threads: with some two hundred rows for the product, or one example.
    private func forEachBlock(of batch: Int, _ window: ImageWindow, _ body: (Range<Int>) -> Void) {
        let block = max(1, 200 / window.positions)
        Threads.withTeam(of: batch * window.positions * inputs / Threads.workPerThread(1 << 15)) { member in
            let share = member.share(of: 0..<batch)
            for begin in stride(from: share.lowerBound, to: share.upperBound, by: block) {
                body(begin..<min(begin + block, share.upperBound))
            }
        }
    }
}
