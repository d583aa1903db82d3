import LinearAlgebra

/// Morlet wavelets of one scale in eight orientations, ready to be convolved with images.
struct WaveletBank: Sendable {
    private let size: Int
    /// From one place to the next, in pixels.
    private let stride: Int
    private let filters: PackedColumns

    init(_ filters: MorletFilters, stride: Int) {
        size = filters.size
        self.stride = stride
        self.filters = PackedColumns(
            filters.matrix, inner: filters.size * filters.size, columns: 2 * MorletFilters.orientations)
    }

    /// Writes |x ⋆ ψ_l| at every `stride`-th pixel, row by row, the eight orientations of a place beside each other.
    /// The image goes on beyond its edges as in a mirror that stands on the last pixel.
    ///
    /// For each column of places, the pixels that its filters see are laid out row by row, `size` beside each other.
    /// The patch of a place is then one run of that memory, and the next place's begins `stride` rows later: patches
    /// overlap and are not copied.
    func modulus(
        of pixels: UnsafeBufferPointer<Float>, _ plane: Plane, into moduli: inout [Float],
        _ scratch: inout ConvolutionScratch
    ) {
        let half = size / 2
        let (rows, columns) = (plane.height / stride, plane.width / stride)
        let channels = MorletFilters.orientations
        let paddedWidth = plane.width + 2 * half
        let paddedHeight = plane.height + 2 * half
        scratch.padded.resize(paddedWidth * paddedHeight)
        for y in 0..<paddedHeight {
            let source = Self.mirrored(y - half, plane.height) * plane.width
            for x in 0..<paddedWidth {
                scratch.padded[y * paddedWidth + x] = pixels[source + Self.mirrored(x - half, plane.width)]
            }
        }
        scratch.strip.resize(paddedHeight * size)
        scratch.products.resize(rows * 2 * channels)
        moduli.resize(rows * columns * channels)
        for column in 0..<columns {
            scratch.padded.withUnsafeBufferPointer { padded in
                scratch.strip.withUnsafeMutableBufferPointer { strip in
                    for y in 0..<paddedHeight {
                        (strip.baseAddress! + y * size).update(
                            from: padded.baseAddress! + y * paddedWidth + column * stride, count: size)
                    }
                }
            }
            scratch.strip.withUnsafeBufferPointer { strip in
                scratch.products.withUnsafeMutableBufferPointer { products in
                    filters.multiplyOnThisThread(
                        rows: rows, StridedMatrix(strip.baseAddress!, stride: stride * size),
                        into: products.baseAddress!, step: 2 * channels)
                }
            }
            for row in 0..<rows {
                let place = (row * columns + column) * channels
                for channel in 0..<channels {
                    let re = scratch.products[row * 2 * channels + channel]
                    let im = scratch.products[row * 2 * channels + channels + channel]
                    moduli[place + channel] = (re * re + im * im).squareRoot()
                }
            }
        }
    }

    /// The pixel of 0..<count that a mirror shows at `index`.
    private static func mirrored(_ index: Int, _ count: Int) -> Int {
        let period = 2 * (count - 1)
        let folded = ((index % period) + period) % period
        return min(folded, period - folded)
    }
}

/// Memory of a convolution that is reused. Every element is written before it is read.
struct ConvolutionScratch {
    fileprivate var padded: [Float] = []
    fileprivate var strip: [Float] = []
    fileprivate var products: [Float] = []
}
