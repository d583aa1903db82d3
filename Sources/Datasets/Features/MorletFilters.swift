import Foundation

/// A bank of Morlet wavelets of one scale in eight orientations, as a matrix to multiply patches with.
///
///     ψ_l(x, y) = g(u, v) (e^{iξu} − κ),   g = exp(−(u² + v²/4) / 2σ²) / Σ exp(…),   κ = Σ g e^{iξu}
///
/// with (u, v) the place (x, y) turned by θ = πl/8: a wave under a Gaussian window that is twice as long across as
/// along, and whose values add up to zero.
struct MorletFilters: Hashable, Sendable {
    static let orientations = 8

    /// The number of rows, and of columns, of a filter: odd.
    let size: Int
    /// size² × 16: the patch's pixels row by row; real parts of the eight filters, then imaginary parts.
    let matrix: [Float]

    init(size: Int, sigma: Double, frequency: Double) {
        self.size = size
        let half = size / 2
        var matrix = [Float](repeating: 0, count: size * size * 2 * Self.orientations)
        for orientation in 0..<Self.orientations {
            let angle = Double.pi * Double(orientation) / Double(Self.orientations)
            var window: [Double] = []
            var phases: [Double] = []
            for y in -half...half {
                for x in -half...half {
                    let u = Double(x) * cos(angle) + Double(y) * sin(angle)
                    let v = -Double(x) * sin(angle) + Double(y) * cos(angle)
                    window.append(exp(-(u * u + v * v / 4) / (2 * sigma * sigma)))
                    phases.append(frequency * u)
                }
            }
            let total = window.reduce(0, +)
            let mean = zip(window, phases).reduce(0) { $0 + $1.0 * cos($1.1) } / total
            for pixel in window.indices {
                let weight = window[pixel] / total
                let row = pixel * 2 * Self.orientations
                matrix[row + orientation] = Float(weight * (cos(phases[pixel]) - mean))
                // The window is symmetric, so that the sine's mean is zero already.
                matrix[row + Self.orientations + orientation] = Float(weight * sin(phases[pixel]))
            }
        }
        self.matrix = matrix
    }

    /// The filters of these orientations alone: size² × 2·count, real parts first.
    func columns(_ orientations: [Int]) -> [Float] {
        let chosen = orientations + orientations.map { $0 + Self.orientations }
        return (0..<size * size).flatMap { pixel in chosen.map { matrix[pixel * 2 * Self.orientations + $0] } }
    }
}
