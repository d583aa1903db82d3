import Requirements

/// What represents the pixels of a window.
public enum Pooling: String, Codable, CaseIterable, Hashable, Sendable {
    /// The largest; the gradient goes to the first of several.
    case max
    /// The mean.
    case average

    /// Reads a name. Throws `DecodingError` with the names that there are.
    public init(from decoder: any Decoder) throws { self = try decoder.choice() }
}

extension ImageWindow {
    /// Writes for each position and channel what represents the window.
    @_specialize(where S == Float)
    func pool<S: Real>(
        _ image: UnsafePointer<S>, by pooling: Pooling,
        into outputs: UnsafeMutablePointer<S>
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
                for channel in 0..<channels { target[channel] /= S(size * size) }
            }
        }
    }

    /// Takes output gradients back to the pixels: to the first largest one of each window, or to all in equal parts.
    @_specialize(where S == Float)
    func unpool<S: Real>(
        _ outputGradients: UnsafePointer<S>, by pooling: Pooling,
        inputs image: UnsafePointer<S>,
        outputs: UnsafePointer<S>, into imageErrors: UnsafeMutablePointer<S>
    ) {
        imageErrors.update(repeating: 0, count: inputCount)
        withUnsafeTemporaryAllocation(of: S.self, capacity: channels) { rest in
            unpool(outputGradients, by: pooling, image, outputs, into: imageErrors, rest: rest.baseAddress!)
        }
    }

    private func unpool<S: Real>(
        _ outputGradients: UnsafePointer<S>, by pooling: Pooling, _ image: UnsafePointer<S>,
        _ outputs: UnsafePointer<S>, into imageErrors: UnsafeMutablePointer<S>,
        rest: UnsafeMutablePointer<S>
    ) {
        forEachPosition { position, pixel in
            let source = outputGradients + position * channels
            switch pooling {
            case .max:
                let maxima = outputs + position * channels
                rest.update(from: source, count: channels)
                forEachPixel { offset in
                    S.giveToMaximum(
                        image + pixel + offset, maxima, channels, rest, imageErrors + pixel + offset)
                }
            case .average:
                forEachPixel { offset in
                    for channel in 0..<channels {
                        imageErrors[pixel + offset + channel] += source[channel] / S(size * size)
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
