import Requirements

/// A number of 64 bits before the point and 64·k after it, with directed rounding.
///
/// Traps where a result would need more than 64 bits before the point, or fall below zero.
struct FixedPoint: Equatable, Comparable, Sendable {
    enum Rounding { case down, up }

    /// The lowest comes first, the one before the point last.
    private(set) var limbs: [UInt64]

    /// `integer`, with `fractionLimbs` limbs after the point.
    init(_ integer: UInt64, fractionLimbs: Int) {
        limbs = Array(repeating: 0, count: fractionLimbs) + [integer]
    }

    /// The number below one whose limbs after the point are these, the highest first.
    init(fraction: [UInt64]) {
        limbs = fraction.reversed() + [0]
    }

    /// numerator · 2^-exponent.
    init(_ numerator: UInt128, exponent: Int, fractionLimbs: Int, _ rounding: Rounding) {
        self.init(0, fractionLimbs: fractionLimbs)
        for bit in 0..<128 where numerator >> UInt128(bit) & 1 == 1 {
            let place = bit - exponent + 64 * fractionLimbs
            require(place < 64 * limbs.count, "\(numerator)·2^-\(exponent) does not fit 64 bits before the point.")
            if place >= 0 { limbs[place / 64] |= 1 << UInt64(place % 64) }
        }
        let lost = 64 * fractionLimbs < exponent ? exponent - 64 * fractionLimbs : 0
        if rounding == .up, lost > 0, numerator & (lost < 128 ? (1 << UInt128(lost)) - 1 : .max) != 0 {
            increment()
        }
    }

    static func < (left: Self, right: Self) -> Bool {
        for (left, right) in zip(left.limbs.reversed(), right.limbs.reversed()) where left != right {
            return left < right
        }
        return false
    }

    /// Whether this is at most one unit of the last place.
    var isAtMostOneUnit: Bool { limbs[0] <= 1 && limbs.dropFirst().allSatisfy { $0 == 0 } }

    /// The sum with one unit of the last place.
    var next: Self {
        var result = self
        result.increment()
        return result
    }

    static func + (left: Self, right: Self) -> Self {
        var result = left
        var carry = false
        for index in result.limbs.indices {
            let (sum, first) = result.limbs[index].addingReportingOverflow(right.limbs[index])
            let (total, second) = sum.addingReportingOverflow(carry ? 1 : 0)
            result.limbs[index] = total
            carry = first || second
        }
        require(!carry, "A sum does not fit 64 bits before the point.")
        return result
    }

    static func - (left: Self, right: Self) -> Self {
        var result = left
        var borrow = false
        for index in result.limbs.indices {
            let (difference, first) = result.limbs[index].subtractingReportingOverflow(right.limbs[index])
            let (total, second) = difference.subtractingReportingOverflow(borrow ? 1 : 0)
            result.limbs[index] = total
            borrow = first || second
        }
        require(!borrow, "A difference falls below zero.")
        return result
    }

    func times(_ other: Self, _ rounding: Rounding) -> Self {
        let fraction = limbs.count - 1
        var product = [UInt64](repeating: 0, count: 2 * limbs.count)
        for (i, left) in limbs.enumerated() {
            var carry: UInt64 = 0
            for (j, right) in other.limbs.enumerated() {
                // (2⁶⁴ - 1)² and two more limbs are 2¹²⁸ - 1: nothing overflows.
                let sum = UInt128(left) * UInt128(right) + UInt128(product[i + j]) + UInt128(carry)
                product[i + j] = UInt64(truncatingIfNeeded: sum)
                carry = UInt64(sum >> 64)
            }
            product[i + limbs.count] = carry
        }
        require(product[2 * limbs.count - 1] == 0, "A product does not fit 64 bits before the point.")
        var result = self
        result.limbs = Array(product[fraction..<fraction + limbs.count])
        if rounding == .up, product[..<fraction].contains(where: { $0 != 0 }) { result.increment() }
        return result
    }

    /// The exact product.
    func times(_ factor: UInt64) -> Self {
        var result = self
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = UInt128(limbs[index]) * UInt128(factor) + UInt128(carry)
            result.limbs[index] = UInt64(truncatingIfNeeded: product)
            carry = UInt64(product >> 64)
        }
        require(carry == 0, "A product does not fit 64 bits before the point.")
        return result
    }

    func divided(by divisor: UInt64, _ rounding: Rounding) -> Self {
        var result = self
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            (result.limbs[index], remainder) = divisor.dividingFullWidth((remainder, limbs[index]))
        }
        if rounding == .up, remainder != 0 { result.increment() }
        return result
    }

    private mutating func increment() {
        for index in limbs.indices {
            limbs[index] &+= 1
            if limbs[index] != 0 { return }
        }
        fail("A sum does not fit 64 bits before the point.")
    }
}
