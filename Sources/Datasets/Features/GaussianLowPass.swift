import Foundation

/// Means of an image's values around the centre of each block of pixels, under Gaussian weights.
///
///     (u ⋆ φ)(c) = Σ_p w(p) u(p),   w(p) ∝ exp(−‖p − c‖² / 2σ²),   Σ_p w(p) = 1
///
/// over the places p of the image whose row and column are at most 4σ from the centre's. A mean never leaves the range
/// of what it is taken of.
struct GaussianLowPass: Sendable {
    /// For each block, the first place and the weights from there on.
    private typealias Window = (first: Int, weights: [Float])

    private let vertical: [Window]
    private let horizontal: [Window]
    private let height: Int
    private let width: Int

    /// - Parameters:
    ///   - image: the image, in pixels.
    ///   - spacing: values stand at every `spacing`-th pixel.
    ///   - block: rows and columns of a block, in pixels.
    init(_ image: Plane, sigma: Double, spacing: Int, block: Int) {
        func windows(_ length: Int) -> [Window] {
            (0..<length / block).map { index in
                let center = Double(index * block) + Double(block - 1) / 2
                let places = (0..<length / spacing).filter { abs(Double($0 * spacing) - center) <= 4 * sigma }
                let weights = places.map { exp(-pow((Double($0 * spacing) - center) / sigma, 2) / 2) }
                let total = weights.reduce(0, +)
                return (places[0], weights.map { Float($0 / total) })
            }
        }
        vertical = windows(image.height)
        horizontal = windows(image.width)
        height = image.height / spacing
        width = image.width / spacing
    }

    /// Averages `values`, row by row, the channels of a place beside each other.
    ///
    /// - Parameters:
    ///   - offset: where the channels go among the `total` channels of each block of the result.
    ///   - factor: what the means are multiplied by.
    ///   - rows: memory that is reused.
    func apply(
        to values: UnsafeBufferPointer<Float>, channels: Int, into result: UnsafeMutableBufferPointer<Float>,
        at offset: Int, outOf total: Int, times factor: Float, _ rows: inout [Float]
    ) {
        let line = width * channels
        rows.resize(line)
        rows.withUnsafeMutableBufferPointer { sums in
            for (row, window) in vertical.enumerated() {
                sums.update(repeating: 0)
                for (index, weight) in window.weights.enumerated() {
                    let source = values.baseAddress! + (window.first + index) * line
                    for element in 0..<line { sums[element] += weight * source[element] }
                }
                for (column, window) in horizontal.enumerated() {
                    let target = (row * horizontal.count + column) * total + offset
                    for channel in 0..<channels { result[target + channel] = 0 }
                    for (index, weight) in window.weights.enumerated() {
                        let source = (window.first + index) * channels
                        for channel in 0..<channels { result[target + channel] += weight * sums[source + channel] }
                    }
                    for channel in 0..<channels { result[target + channel] *= factor }
                }
            }
        }
    }
}
