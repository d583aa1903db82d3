import LinearAlgebra

/// A square window that slides over an image of height × width × channels, surrounded by zeros.
///
/// The pixels under the window at one position are a patch: size × size × channels numbers, in the order of the image.
struct ImageWindow: Hashable, Sendable {
    let height: Int
    let width: Int
    let channels: Int
    let size: Int
    let stride: Int
    let padding: Int

    var outputHeight: Int { (height + 2 * padding - size) / stride + 1 }
    var outputWidth: Int { (width + 2 * padding - size) / stride + 1 }
    var positions: Int { outputHeight * outputWidth }
    var patchLength: Int { size * size * channels }
    var inputCount: Int { height * width * channels }

    /// Writes the patch of each position, one after the other.
    func copyPatches(of image: UnsafePointer<Float>, to patches: UnsafeMutablePointer<Float>) {
        forEachRow { inside, imageOffset, patchOffset in
            let row = patches + patchOffset
            row.update(repeating: 0, count: inside.lowerBound)
            (row + inside.lowerBound).update(from: image + imageOffset, count: inside.count)
            (row + inside.upperBound).update(repeating: 0, count: size * channels - inside.upperBound)
        }
    }

    /// Adds each patch to the pixels it was copied from.
    func addPatches(_ patches: UnsafePointer<Float>, to image: UnsafeMutablePointer<Float>) {
        forEachRow { inside, imageOffset, patchOffset in
            let source = patches + patchOffset + inside.lowerBound
            let target = image + imageOffset
            for index in 0..<inside.count { target[index] += source[index] }
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

    /// Shares examples among threads.
    func forEachExample(of batch: Int, _ body: (Int) -> Void) {
        Threads.withTeam(of: batch * positions * patchLength / Threads.workPerThread(1 << 15)) { member in
            for example in member.share(of: 0..<batch) { body(example) }
        }
    }
}
