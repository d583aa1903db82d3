/// Whether U < Λ·exp(-τx²)·2ˢ/w, for a uniform real U of which only as many bits are drawn as it takes.
///
/// **Guarantee:** the answer is that of exact arithmetic. Float64 answers where its proven error leaves no doubt, and
/// an enclosure of as many digits as necessary everywhere else.
struct AcceptanceQuestion {
    let tau: Double
    let scale: UInt64
    let x: Int
    let weight: UInt32
    /// s.
    let doublings: Int

    init(table: DiscreteGaussianTable, x: Int, weight: UInt32, doublings: Int) {
        (tau, scale) = (table.tau, table.scale)
        (self.x, self.weight, self.doublings) = (x, weight, doublings)
    }

    func isAccepted<Bits: RandomNumberGenerator>(_ coin: UniformReal, using bits: inout Bits) -> Bool {
        if let answer = floatingPointAnswer(coin) { return answer }
        var coin = coin
        return exactAnswer(&coin, using: &bits)
    }

    /// The answer by Float64 and the first 64 bits of U, or nil where they are too close.
    func floatingPointAnswer(_ coin: UniformReal) -> Bool? {
        let u = Double(coin.limb(0)) * 0x1p-64
        let d = tau * (Double(x) * Double(x))
        let power = d < BoundedExponential.limit ? BoundedExponential.minus(d) : 0
        let ratio = power * Double(scale) * Double(UInt64(1) << UInt64(doublings)) / Double(weight)
        // The exponential's error and three roundings; U is known to 2⁻⁶⁴ and was rounded to 53 bits.
        let margin = ratio * (2 * BoundedExponential.relativeError) + 0x1p-50
        if u < ratio - margin { return true }
        return u >= ratio + margin ? false : nil
    }

    /// The answer by 128, 256, 512 … bits. Never ends with probability 0.
    func exactAnswer<Bits: RandomNumberGenerator>(_ coin: inout UniformReal, using bits: inout Bits) -> Bool {
        var limbs = 2
        while true {
            while coin.wordCount < limbs { coin.append(bits.next()) }
            let ratio = ratio(limbs: limbs)
            let u = FixedPoint(fraction: (0..<limbs).map(coin.limb))
            if u.next <= ratio.lower { return true }
            if u >= ratio.upper { return false }
            limbs *= 2
        }
    }

    /// Λ·exp(-τx²)·2ˢ/w, enclosed to `limbs` limbs.
    func ratio(limbs: Int) -> (lower: FixedPoint, upper: FixedPoint) {
        // τ = m·2^-q, so that τx² is the integer m·x², below 2¹¹⁵, over 2^q.
        let numerator = UInt128(DiscreteGaussianTable.integral(tau)) * UInt128(x.magnitude * x.magnitude)
        let power = ExponentialEnclosure(ofMinus: numerator, exponent: 52 - Int(tau.exponent), limbs: limbs)
        func scaled(_ value: FixedPoint, _ rounding: FixedPoint.Rounding) -> FixedPoint {
            value.times(scale).times(1 << UInt64(doublings)).divided(by: UInt64(weight), rounding)
        }
        return (scaled(power.lower, .down), scaled(power.upper, .up))
    }
}
