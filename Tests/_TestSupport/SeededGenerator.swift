import Foundation
import LinearAlgebra

/// SplitMix64, so that every run of a test sees the same numbers on every platform. Source: Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", OOPSLA 2014.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

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
