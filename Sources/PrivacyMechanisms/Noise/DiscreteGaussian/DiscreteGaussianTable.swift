import CPrivacyKernels
import Requirements

/// The discrete Gaussian P(x) ∝ exp(-τx²) over the integers, ready for exact sampling.
///
/// τ is a Float64, hence dyadic: the law is exactly what its bits say. Integers are proposed by cells of W = 2ᵗ: cell c
/// holds cW … cW + W - 1 for c in -1023 … 1023, number 2047 is the tail beyond. With the integer Λ and integer weights
/// w of sum 2³²,
///
///     w_c ≥ Λ·exp(-τx²) for all x of cell c,   P(propose x) = w_c/(2³²·W),   P(accept x) = Λ·exp(-τx²)/w_c,
///
/// so that every x comes out with Λ·exp(-τx²)/(2³²·W).
///
/// **Guarantee:** given ideal random bits, the law of an accepted integer is P conditioned on |x| < 2³¹, whatever
/// rounding the tables suffered. DiscreteGaussianProof.md has the argument.
///
/// Source: the discrete ziggurat (Buchmann et al., SAC 2013), with cells of equal width in place of equal areas.
package struct DiscreteGaussianTable: Sendable {
    /// The standard deviations that a table can have.
    package static let range = 0.25...0x1p26

    static let cells = 2047
    static let tail = 2047
    /// Cell c has this much more as its number.
    static let centre = 1023

    /// √(1/2τ), rounded up: not below the deviation that was asked for, and less than 2⁻⁵⁰ of it above.
    package let sigma: Double
    /// The law's one parameter.
    let tau: Double
    /// t.
    let shift: Int
    /// Λ.
    let scale: UInt64
    /// Of the cells and, last, of the tail.
    var weights: [UInt32]
    /// The alias table of the weights.
    var entries: [UInt32]
    /// A coin of 32 - t bits below quick[c] accepts every integer of cell c.
    var quick: [UInt32]

    /// The law of τ = 1/(2σ²), rounded down. Traps unless σ is in ``range``. O(1): some 2000 exponentials.
    package init(sigma: Double) {
        require(
            Self.range.contains(sigma),
            "The standard deviation of a discrete Gaussian is in [0.25, 2^26], and \(sigma) was asked for.")
        self.init(tau: Self.tau(notAbove: sigma), shift: sigma < 64 ? 0 : Int(sigma.exponent) - 6)
    }

    /// The law of any τ with cells of 2^shift integers: tests reach the tail through narrow cells.
    ///
    /// Traps where the tail's envelope would leave nothing for the cells.
    init(tau: Double, shift: Int) {
        let width = 1 << shift
        // Bounds from above, of every cell's largest and of the tail.
        let largest = (0..<Self.cells).map { Self.upper(tau, Self.nearest(in: $0, width)) }
        let beyond = (0...30).map {
            Self.upper(tau, (Self.centre - 1 + 1 << $0) * width + 1) * Double(UInt64(1) << (2 * $0 + 2))
        }.max()!
        let envelope = (largest.reduce(0, +) + beyond) * (1 + 0x1p-40)
        let scale = ((0x1p32 - 2048) / envelope).rounded(.down)
        require(scale >= 1, "Cells of \(width) integers are too narrow for exp(-\(tau)·x²).")
        var weights = (largest + [beyond]).map { UInt64(max(1, (scale * $0).rounded(.up))) }
        weights[Self.centre] += 1 << 32 - weights.reduce(0, +)
        let coins = 32 - shift
        quick = (0..<Self.cells).map { cell in
            let smallest = Self.lower(tau, Self.farthest(in: cell, width))
            let bound = smallest * scale / Double(weights[cell]) * (1 - 0x1p-50) * Double(UInt64(1) << coins)
            return UInt32(min(bound.rounded(.down), 0x1p32 - 1))
        }
        quick.append(0)
        self.weights = weights.map(UInt32.init)
        entries = AliasTable.make(self.weights)
        (self.tau, self.shift, self.scale) = (tau, shift, UInt64(scale))
        sigma = (1 / (2 * tau)).nextUp.squareRoot().nextUp
    }

    /// Calls `body` with the tables in the kernels' form.
    func withKernelTable<Result>(_ body: (dpk_discrete) -> Result) -> Result {
        entries.withUnsafeBufferPointer { entries in
            quick.withUnsafeBufferPointer { quick in
                body(
                    dpk_discrete(entries: entries.baseAddress!, quick: quick.baseAddress!, shift: Int32(shift)))
            }
        }
    }
}
