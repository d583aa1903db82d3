/// e⁻ᵈ in Float64 with a proven bound on its error, from additions and multiplications alone.
///
/// The bound is coarse on purpose: where it does not decide, ``ExponentialEnclosure`` does, and that is rare already.
enum BoundedExponential {
    /// The result is within this fraction of itself of e⁻ᵈ. Derived in DiscreteGaussianProof.md, section 5.
    static let relativeError = 0x1p-36

    /// From here on, e⁻ᵈ counts as zero.
    static let limit = 700.0

    /// e⁻ᵈ for 0 ≤ d < ``limit``, where d itself may be off by 2⁻⁵² of itself.
    static func minus(_ d: Double) -> Double {
        // d = n·ln 2 - r with |r| ≤ 0.3467. To add 1.5·2⁵² rounds to an integer without a call.
        let n = (d * 0x1.71547652b82fep0 + 0x1.8p52) - 0x1.8p52
        // The upper part of ln 2 has 33 bits and n has 10, so that the product is exact.
        let r = (n * 0x1.62e42feep-1 - d) + n * 0x1.a39ef35793c76p-33
        let (r2, r4) = (r * r, (r * r) * (r * r))
        let low = (1 + r) + r2 * (1 / 2.0 + r * (1 / 6.0))
        let middle = (1 / 24.0 + r * (1 / 120.0)) + r2 * (1 / 720.0 + r * (1 / 5040.0))
        let high = 1 / 40320.0 + r * (1 / 362880.0)
        let power = Double(bitPattern: UInt64(1023 - Int64(n)) << 52)
        return (low + r4 * (middle + r4 * high)) * power
    }
}
