import Testing

@testable import PrivacyMechanisms

struct ExponentialEnclosureTests {
    /// D = numerator·2^-exponent and the digits of e⁻ᴰ after the point, 75 and more, by mpmath 1.3 at 90 digits.
    private static let known: [(numerator: UInt128, exponent: Int, digits: String)] = [
        (1, 0, "367879441171442321595523770161460867445811131031767834507836801697461495745"),
        (1, 1, "606530659712633423603799534991180453441918135487186955682892158735056519414"),
        (3, 2, "472366552741014707138046550943267912970203579136476682395657944141200945633"),
        (20, 0, "00000000206115362243855782796594038015582097637580727559910369297224466162916402378"),
        (1, 10, "999023914181975662234711789610329430319202080778525185510167886595798283553"),
        (401, 2, "0000000000000000000000000000000000000000000289719808321014780719736106689586606558683"),
    ]

    /// 0.digits to k limbs, rounded down; its own error is below 10^-74, less than 2^-245.
    private static func value(_ digits: String, limbs: Int) -> FixedPoint {
        digits.reversed().reduce(FixedPoint(0, fractionLimbs: limbs)) { rest, digit in
            (rest + FixedPoint(UInt64(digit.wholeNumberValue!), fractionLimbs: limbs)).divided(by: 10, .down)
        }
    }

    @Test func knownDigitsAreEnclosed() {
        for (numerator, exponent, digits) in Self.known {
            for limbs in 2...3 {
                let found = ExponentialEnclosure(ofMinus: numerator, exponent: exponent, limbs: limbs)
                let digits = Self.value(digits, limbs: limbs)
                // The reference is rounded down by each of its divisions, together by less than two units.
                #expect(found.lower <= digits.next.next && digits <= found.upper)
                // Some thirty terms of two roundings each, and a factor of two for each of up to eight squarings.
                func units(_ count: UInt64) -> FixedPoint {
                    FixedPoint(fraction: [UInt64](repeating: 0, count: limbs - 1) + [count])
                }
                #expect(found.upper - found.lower < units(1 << 16))
                // Control: an enclosure that lies a little higher does not hold them.
                #expect(!(found.lower + units(1 << 17) <= digits.next.next))
            }
        }
    }

    @Test func moreLimbsGiveAnEnclosureWithin() {
        var generator = SeededGenerator(seed: 31)
        for _ in 0..<50 {
            let numerator = UInt128(generator.next()) << 40
            let exponent = 101 + Int(generator.next() % 6)
            let wide = ExponentialEnclosure(ofMinus: numerator, exponent: exponent, limbs: 2)
            let narrow = ExponentialEnclosure(ofMinus: numerator, exponent: exponent, limbs: 4)
            func prefix(_ value: FixedPoint) -> FixedPoint {
                FixedPoint(fraction: value.limbs.dropLast().suffix(2).reversed())
            }
            #expect(wide.lower <= prefix(narrow.lower) && narrow.lower <= narrow.upper)
            #expect(prefix(narrow.upper) <= wide.upper)
        }
    }

    /// **Guarantee:** the error of Float64 stays below its bound. Twins with one coefficient less do not.
    @Test func theFloatingPointExponentialIsWithinItsBound() {
        func failures(_ subject: (Double) -> Double) -> Int {
            (0..<400).count { index in
                let d = Double(index) * 0.0625 + 0x1p-20
                let exact = ExponentialEnclosure(ofMinus: UInt128(d * 0x1p20), exponent: 20, limbs: 2).upper
                // 128 bits of which at least 90 count: rounded to Float64 for the comparison.
                let fraction = Double(exact.limbs[1]) * 0x1p-64 + Double(exact.limbs[0]) * 0x1p-128
                let value = Double(exact.limbs[2]) + fraction
                return (subject(d) - value).magnitude > value * BoundedExponential.relativeError
            }
        }
        #expect(failures(BoundedExponential.minus) == 0)
        #expect(failures { BoundedExponential.minus($0) * (1 + 0x1p-34) } == 400)
    }
}
