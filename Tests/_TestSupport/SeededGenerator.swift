import Datasets
import Foundation
import LinearAlgebra

/// SplitMix64, so that every run of a test sees the same numbers on every platform, and what tests draw from it.
package struct SeededGenerator: RandomNumberGenerator {
    private var generator: SplitMix64

    package init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    package mutating func next() -> UInt64 { generator.next() }

    package mutating func float(_ range: ClosedRange<Float> = -1...1) -> Float { Float.random(in: range, using: &self) }

    package mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in float(range) }
    }

    /// A number whose exponent is spread evenly over the given range.
    package mutating func float(exponents: ClosedRange<Int>) -> Float {
        Float(
            sign: next() & 1 == 0 ? .plus : .minus, exponent: Int.random(in: exponents, using: &self),
            significand: Float.random(in: 1..<2, using: &self))
    }

    /// A standard normal.
    package mutating func normal() -> Double {
        let u = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &self)
        let v = Double.random(in: 0..<1, using: &self)
        return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
    }

    /// Numbers in [-1, 1].
    package mutating func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        Matrix(rows: rows, columns: columns, elements: floats(rows * columns))
    }
}
