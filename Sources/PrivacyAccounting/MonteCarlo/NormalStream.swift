import Foundation

/// Standard normals by Box and Muller's transform of uniforms of 53 bits, two at a time.
struct NormalStream {
    private var spare: Double?

    mutating func next(using generator: inout some RandomNumberGenerator) -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        // In (0, 1].
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
        let angle = 2 * Double.pi * Double.random(in: 0..<1, using: &generator)
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}
