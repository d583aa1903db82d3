import LinearAlgebra

/// The places of an image or of one of its maps.
struct Plane {
    let height: Int
    let width: Int

    var count: Int { height * width }

    /// Averages blocks of block × block places, channel by channel; a place's channels lie beside each other.
    ///
    /// - Parameters:
    ///   - offset: where the channels go among the `total` channels of each place of the result.
    func average(
        _ values: UnsafeBufferPointer<Float>, channels: Int, block: Int,
        into result: UnsafeMutableBufferPointer<Float>, at offset: Int = 0, outOf total: Int? = nil
    ) {
        let total = total ?? channels
        let weight = 1 / Float(block * block)
        for row in 0..<height / block {
            for column in 0..<width / block {
                let target = (row * (width / block) + column) * total + offset
                for channel in 0..<channels {
                    var sum: Float = 0
                    for y in row * block..<(row + 1) * block {
                        for x in column * block..<(column + 1) * block {
                            sum += values[(y * width + x) * channels + channel]
                        }
                    }
                    result[target + channel] = sum * weight
                }
            }
        }
    }

    /// The size × size patch around every `stride`-th place, zeros outside the image: a row for each.
    func patches(_ values: UnsafeBufferPointer<Float>, size: Int, stride: Int, into result: inout [Float]) {
        let half = size / 2
        for index in result.indices { result[index] = 0 }
        result.withUnsafeMutableBufferPointer { result in
            var row = 0
            for centerY in Swift.stride(from: 0, to: height, by: stride) {
                for centerX in Swift.stride(from: 0, to: width, by: stride) {
                    let left = max(0, half - centerX)
                    let right = min(size, width - centerX + half)
                    for patchY in max(0, half - centerY)..<min(size, height - centerY + half) {
                        let source = (centerY + patchY - half) * width + centerX - half
                        let target = row + patchY * size
                        for patchX in left..<right { result[target + patchX] = values[source + patchX] }
                    }
                    row += size * size
                }
            }
        }
    }
}

/// Memory of a scattering that is reused from one image to the next. Every element is written before it is read.
public struct ScatteringScratch {
    private var patches: [Float] = []
    private var products: [Float] = []
    private var moduli: [Float] = []

    /// |x ⋆ ψ| for filters with real and imaginary parts in the columns of `filters`, at every `stride`-th place.
    mutating func modulus(
        of values: UnsafeBufferPointer<Float>, _ plane: Plane, _ filters: [Float], size: Int, stride: Int
    ) {
        let places = ((plane.height + stride - 1) / stride) * ((plane.width + stride - 1) / stride)
        let columns = filters.count / (size * size)
        patches.resize(places * size * size)
        products.resize(places * columns)
        moduli.resize(places * columns / 2)
        plane.patches(values, size: size, stride: stride, into: &patches)
        patches.withUnsafeBufferPointer { patches in
            filters.withUnsafeBufferPointer { filters in
                products.withUnsafeMutableBufferPointer { products in
                    RowwiseProduct.multiplyOnThisThread(
                        rows: places, columns: columns, inner: size * size,
                        StridedMatrix(patches.baseAddress!, stride: size * size),
                        StridedMatrix(filters.baseAddress!, stride: columns), into: products.baseAddress!)
                }
            }
        }
        let channels = columns / 2
        for place in 0..<places {
            for channel in 0..<channels {
                let (re, im) = (products[place * columns + channel], products[place * columns + channels + channel])
                moduli[place * channels + channel] = (re * re + im * im).squareRoot()
            }
        }
    }

    func withModulus(_ body: (UnsafeBufferPointer<Float>) -> Void) {
        moduli.withUnsafeBufferPointer(body)
    }
}

extension [Float] {
    /// Makes the array `count` long, with any contents.
    mutating func resize(_ count: Int) {
        if self.count != count { self = [Float](repeating: 0, count: count) }
    }
}
