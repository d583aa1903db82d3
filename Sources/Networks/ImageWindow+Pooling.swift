extension ImageWindow {
    /// Writes for each position and channel what represents the window.
    func pool(
        _ image: UnsafePointer<Float>, by pooling: NetworkArchitecture.Pooling,
        into outputs: UnsafeMutablePointer<Float>
    ) {
        forEachPosition { position, pixel in
            let target = outputs + position * channels
            let source = image + pixel
            switch pooling {
            case .max:
                target.update(from: source, count: channels)
                forEachPixel { offset in
                    for channel in 0..<channels {
                        // As `>` is false for NaN, the first pixel's NaN stays, and any other's is passed over.
                        let value = source[offset + channel]
                        target[channel] = value > target[channel] ? value : target[channel]
                    }
                }
            case .average:
                target.update(repeating: 0, count: channels)
                forEachPixel { offset in
                    for channel in 0..<channels { target[channel] += source[offset + channel] }
                }
                for channel in 0..<channels { target[channel] /= Float(size * size) }
            }
        }
    }

    /// Takes output gradients back to the pixels: to the first largest one of each window, or to all in equal parts.
    func unpool(
        _ outputGradients: UnsafePointer<Float>, by pooling: NetworkArchitecture.Pooling,
        inputs image: UnsafePointer<Float>,
        outputs: UnsafePointer<Float>, into imageErrors: UnsafeMutablePointer<Float>
    ) {
        imageErrors.update(repeating: 0, count: inputCount)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: channels) { rest in
            unpool(outputGradients, by: pooling, image, outputs, into: imageErrors, rest: rest.baseAddress!)
        }
    }

    private func unpool(
        _ outputGradients: UnsafePointer<Float>, by pooling: NetworkArchitecture.Pooling, _ image: UnsafePointer<Float>,
        _ outputs: UnsafePointer<Float>, into imageErrors: UnsafeMutablePointer<Float>,
        rest: UnsafeMutablePointer<Float>
    ) {
        let kernels = Activation.kernels
        forEachPosition { position, pixel in
            let source = outputGradients + position * channels
            switch pooling {
            case .max:
                let maxima = outputs + position * channels
                rest.update(from: source, count: channels)
                forEachPixel { offset in
                    kernels.give_to_maximum(
                        image + pixel + offset, maxima, channels, rest, imageErrors + pixel + offset)
                }
            case .average:
                forEachPixel { offset in
                    for channel in 0..<channels {
                        imageErrors[pixel + offset + channel] += source[channel] / Float(size * size)
                    }
                }
            }
        }
    }

    private func forEachPosition(_ body: (_ position: Int, _ pixel: Int) -> Void) {
        for row in 0..<outputHeight {
            for column in 0..<outputWidth {
                body(row * outputWidth + column, (row * stride * width + column * stride) * channels)
            }
        }
    }

    private func forEachPixel(_ body: (_ offset: Int) -> Void) {
        for row in 0..<size {
            for column in 0..<size { body((row * width + column) * channels) }
        }
    }
}
