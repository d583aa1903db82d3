import Testing

@testable import PrivacyAccounting

/// Results lie on their side of the exact one; results that are rounded to the nearest do not.
@Suite struct LossModelSideTests {
    @Test func quotients() {
        var random = SeededGenerator(seed: 11)
        var (isNearestAbove, isNearestBelow) = (true, true)
        for _ in 0..<1000 {
            let (a, b) = (Double.random(in: 1...1e6, using: &random), Double.random(in: 1e-3...1e3, using: &random))
            // a − q·b, with the sign of the exact one.
            func remainder(_ q: Double) -> Double { a.addingProduct(-q, b) }
            #expect(remainder(LossModel.Side.upper.quotient(a, by: b)) <= 0)
            #expect(remainder(LossModel.Side.lower.quotient(a, by: b)) >= 0)
            isNearestAbove = isNearestAbove && remainder(a / b) <= 0
            isNearestBelow = isNearestBelow && remainder(a / b) >= 0
        }
        #expect(!isNearestAbove && !isNearestBelow)
    }

    @Test func sums() {
        var random = SeededGenerator(seed: 12)
        var (isNearestAbove, isNearestBelow) = (true, true)
        for _ in 0..<1000 {
            // Multiples of 2⁻²⁰, so that the exact sum is an integer.
            let i = Int.random(in: 1 << 41..<1 << 42, using: &random)
            let j = Int.random(in: 0..<1 << 40, using: &random)
            let (a, b, exact) = (Double(i), Double(j) * 0x1p-20, i << 20 + j)
            func scaled(_ sum: Double) -> Int { Int(sum * 0x1p20) }
            #expect(scaled(LossModel.Side.upper.sum(a, b)) >= exact)
            #expect(scaled(LossModel.Side.lower.sum(a, b)) <= exact)
            isNearestAbove = isNearestAbove && scaled(a + b) >= exact
            isNearestBelow = isNearestBelow && scaled(a + b) <= exact
        }
        #expect(!isNearestAbove && !isNearestBelow)
        #expect(LossModel.Side.upper.sum(1, .infinity) == .infinity)
        #expect(LossModel.Side.lower.sum(.infinity, 1) == .infinity)
    }

    @Test func counts() {
        for count in [0, 1, 1 << 53 - 1, 1 << 53 + 1, 1 << 53 + 3, 1 << 60 + 1] {
            #expect(Int(LossModel.Side.lower.double(count)) <= count)
            #expect(Int(LossModel.Side.upper.double(count)) >= count)
        }
        let (below, above) = (1 << 53 + 1, 1 << 53 + 3)
        #expect(Int(Double(below)) < below && Int(Double(above)) > above)
        #expect(LossModel.Side.lower.double(1000) == 1000 && LossModel.Side.upper.double(1000) == 1000)
    }
}
