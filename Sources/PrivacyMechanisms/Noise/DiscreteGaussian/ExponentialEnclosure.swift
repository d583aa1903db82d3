/// Two numbers of 64·k bits after the point, one not above and one not below e⁻ᴰ, for any dyadic D ≥ 0.
///
/// Every operation rounds outward, so that the enclosure holds whatever its width is. The width tends to zero with k.
/// D is halved j times until it is below ½; then Taylor's series, and j squarings, each of which costs about a bit.
struct ExponentialEnclosure: Equatable, Sendable {
    private(set) var lower: FixedPoint
    private(set) var upper: FixedPoint

    /// e^(-numerator·2^-exponent). Traps unless k ≥ 1 and exponent ≥ 0.
    init(ofMinus numerator: UInt128, exponent: Int, limbs k: Int) {
        let halvings = max(0, 128 - numerator.leadingZeroBitCount - exponent + 1)
        let low = FixedPoint(numerator, exponent: exponent + halvings, fractionLimbs: k, .down)
        let high = FixedPoint(numerator, exponent: exponent + halvings, fractionLimbs: k, .up)
        (lower, upper) = Self.series(low, high, limbs: k)
        for _ in 0..<halvings {
            lower = lower.times(lower, .down)
            upper = upper.times(upper, .up)
        }
    }

    /// 1 - y + y²/2 - …, for y in [low, high] below ½: sums of the terms of either sign, each rounded both ways.
    private static func series(
        _ low: FixedPoint, _ high: FixedPoint, limbs k: Int
    ) -> (lower: FixedPoint, upper: FixedPoint) {
        let one = FixedPoint(1, fractionLimbs: k)
        var term = (low: one, high: one)
        var added = (low: one, high: one)
        var subtracted = (low: FixedPoint(0, fractionLimbs: k), high: FixedPoint(0, fractionLimbs: k))
        var order: UInt64 = 0
        repeat {
            order += 1
            term.low = term.low.times(low, .down).divided(by: order, .down)
            term.high = term.high.times(high, .up).divided(by: order, .up)
            if order % 2 == 0 {
                added = (added.low + term.low, added.high + term.high)
            } else {
                subtracted = (subtracted.low + term.low, subtracted.high + term.high)
            }
        } while !term.high.isAtMostOneUnit
        // Terms alternate and fall: what is left out is less than the last term, hence than a unit.
        return (added.low - subtracted.high.next, min(one, (added.high - subtracted.low).next))
    }
}
