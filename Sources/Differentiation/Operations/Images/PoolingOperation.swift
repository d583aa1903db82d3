/// The largest or the mean of the pixels of a window, for each channel.
struct PoolingOperation: Operation {
    let pooling: Pooling
    let size: Int
    let stride: Int

    private func window(_ inputs: [[Int]]) -> ImageWindow {
        ImageWindow(over: inputs[0], size: size, stride: stride, padding: 0)
    }

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let window = window(inputs)
        return [window.outputHeight, window.outputWidth, window.channels]
    }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let window = window(pass.inputShapes)
        pass.forEachExample(work: window.positions * window.patchLength) { example in
            window.pool(
                pass.input(0, of: example).baseAddress!, by: pooling, into: pass.output(of: example).baseAddress!)
        }
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let window = window(pass.forward.inputShapes)
        pass.forEachExample(work: window.positions * window.patchLength) { example in
            guard let gradient = pass.inputGradient(0, of: example)?.baseAddress else { return }
            window.unpool(
                UnsafePointer(pass.outputGradient(of: example).baseAddress!), by: pooling,
                inputs: pass.input(0, of: example).baseAddress!, outputs: pass.output(of: example).baseAddress!,
                into: gradient)
        }
    }
}

extension Value {
    /// The largest or the mean of `size` × `size` pixels, `stride` apart, for each channel of an image.
    ///
    /// Traps unless the value has the shape `[height, width, channels]` and the window fits.
    public func pooled(by pooling: Pooling, size: Int, stride: Int) -> Value {
        applying(PoolingOperation(pooling: pooling, size: size, stride: stride), keepsPositions: false)
    }
}
