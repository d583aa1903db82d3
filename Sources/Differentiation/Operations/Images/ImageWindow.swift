import Requirements

/// A square window that slides over an image of height × width × channels, surrounded by zeros.
///
/// The pixels under the window at one position are a patch: size × size × channels numbers, in the order of the image.
package struct ImageWindow: Hashable, Sendable {
    package let height: Int
    package let width: Int
    package let channels: Int
    package let size: Int
    package let stride: Int
    package let padding: Int

    package init(height: Int, width: Int, channels: Int, size: Int, stride: Int, padding: Int) {
        (self.height, self.width, self.channels) = (height, width, channels)
        (self.size, self.stride, self.padding) = (size, stride, padding)
    }

    /// The window over an image of `shape`. Traps unless the shape is height × width × channels, and the window fits.
    init(over shape: [Int], size: Int, stride: Int, padding: Int) {
        require(shape.count == 3, "A value of shape \(shape) is no image of height × width × channels.")
        require(
            size >= 1 && stride >= 1 && padding >= 0 && size <= min(shape[0], shape[1]) + 2 * padding,
            "A window of size \(size), stride \(stride) and padding \(padding) does not fit an image of shape \(shape)."
        )
        self.init(
            height: shape[0], width: shape[1], channels: shape[2], size: size, stride: stride, padding: padding)
    }

    package var outputHeight: Int { (height + 2 * padding - size) / stride + 1 }
    package var outputWidth: Int { (width + 2 * padding - size) / stride + 1 }
    package var positions: Int { outputHeight * outputWidth }
    package var patchLength: Int { size * size * channels }
    var inputCount: Int { height * width * channels }

    /// Writes the patch of each position, one after the other.
    func copyPatches<S: Real>(of image: UnsafePointer<S>, to patches: UnsafeMutablePointer<S>) {
        forEachRow { inside, imageOffset, patchOffset in
            let row = patches + patchOffset
            row.update(repeating: 0, count: inside.lowerBound)
            (row + inside.lowerBound).update(from: image + imageOffset, count: inside.count)
            (row + inside.upperBound).update(repeating: 0, count: size * channels - inside.upperBound)
        }
    }

    /// Adds each patch to the pixels it was copied from.
    func addPatches<S: Real>(_ patches: UnsafePointer<S>, to image: UnsafeMutablePointer<S>) {
        forEachRow { inside, imageOffset, patchOffset in
            let source = patches + patchOffset + inside.lowerBound
            let target = image + imageOffset
            S.add(source, to: target, count: inside.count)
        }
    }

    /// Calls `body` for each row of each patch: which of its size · channels numbers lie inside the image, where the
    /// first of these lies in the image, and where the row begins among the patches.
    private func forEachRow(_ body: (_ inside: Range<Int>, _ imageOffset: Int, _ patchOffset: Int) -> Void) {
        let length = size * channels
        for outputRow in 0..<outputHeight {
            for outputColumn in 0..<outputWidth {
                let patch = (outputRow * outputWidth + outputColumn) * patchLength
                let left = outputColumn * stride - padding
                let begin = min(size, max(0, -left))
                let end = max(begin, min(size, width - left))
                for windowRow in 0..<size {
                    let row = outputRow * stride - padding + windowRow
                    let offset = patch + windowRow * length
                    if row < 0 || row >= height || begin == end {
                        body(0..<0, 0, offset)
                    } else {
                        body(begin * channels..<end * channels, (row * width + left + begin) * channels, offset)
                    }
                }
            }
        }
    }
}
