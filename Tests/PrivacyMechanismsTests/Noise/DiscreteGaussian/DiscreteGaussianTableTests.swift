import Foundation
import Testing

@testable import PrivacyMechanisms

struct DiscreteGaussianTableTests {
    private static let sigmas = [0.25, 0.5, 3, 63.9, 64, 127.99, 128, 1000, 0x1p20, 0x1.1p22, 0x1p26]

    /// Of 2³² equally likely first words, those that give each entry.
    private static func chances(_ table: DiscreteGaussianTable) -> [UInt64] {
        var chances = [UInt64](repeating: 0, count: 2048)
        for (index, entry) in table.entries.enumerated() {
            chances[index] += UInt64(entry >> 11)
            chances[Int(entry & 2047)] += (1 << 21) - UInt64(entry >> 11)
        }
        return chances
    }

    /// **Guarantee:** proposals have the probabilities of their weights, exactly.
    @Test(arguments: sigmas)
    func theAliasTableIsExact(_ sigma: Double) {
        var table = DiscreteGaussianTable(sigma: sigma)
        #expect(Self.chances(table) == table.weights.map(UInt64.init))
        #expect(table.weights.reduce(0) { $0 + UInt64($1) } == 1 << 32)
        // Control: one unit of a threshold.
        table.entries[table.entries.firstIndex { $0 >> 11 > 0 }!] += 1 << 11
        #expect(Self.chances(table) != table.weights.map(UInt64.init))
    }

    /// **Guarantee:** no integer's due probability passes its proposal's, and no quick coin passes what is due.
    @Test(arguments: sigmas)
    func envelopesBoundTheLaw(_ sigma: Double) {
        var table = DiscreteGaussianTable(sigma: sigma)
        let one = FixedPoint(1, fractionLimbs: 2)
        let width = 1 << table.shift
        func envelopeHolds(_ cell: Int) -> Bool {
            let x = DiscreteGaussianTable.nearest(in: cell, width)
            return AcceptanceQuestion(table: table, x: x, weight: table.weights[cell], doublings: 0)
                .ratio(limbs: 2).upper <= one
        }
        func quickHolds(_ cell: Int) -> Bool {
            let x = DiscreteGaussianTable.farthest(in: cell, width)
            let coin = FixedPoint(
                UInt128(table.quick[cell]), exponent: 32 - table.shift, fractionLimbs: 2, .down)
            return coin
                <= AcceptanceQuestion(table: table, x: x, weight: table.weights[cell], doublings: 0)
                .ratio(limbs: 2).lower
        }
        for cell in Array(1018..<1029) + Array(stride(from: 3, to: 2047, by: 73)) {
            #expect(envelopeHolds(cell) && quickHolds(cell))
        }
        #expect(table.quick[DiscreteGaussianTable.tail] == 0)
        // Controls: two units are more than any rounding gave.
        let cell = 1022
        table.weights[cell] -= 2
        #expect(!envelopeHolds(cell))
        table.weights[cell] += 2
        if table.quick[cell] < .max - 8 {
            table.quick[cell] += 8
            #expect(!quickHolds(cell))
        }
    }

    @Test(arguments: sigmas)
    func theTailsEnvelopeBoundsEachWindow(_ sigma: Double) {
        let table = DiscreteGaussianTable(sigma: sigma)
        for window in 0...30 {
            let x = min((1023 + (1 << window)) << table.shift, Int(Int32.max))
            guard table.tau * Double(x) * Double(x) < 2000 else { continue }
            let question = AcceptanceQuestion(
                table: table, x: x, weight: table.weights[DiscreteGaussianTable.tail], doublings: 2 * window + 2)
            #expect(question.ratio(limbs: 4).upper <= FixedPoint(1, fractionLimbs: 4))
        }
    }

    /// **Guarantee:** fewer than `count` of a chunk's proposals are accepted with less than 2⁻¹⁰⁰.
    @Test func proposalsSuffice() {
        let refused = 0.0063
        for sigma in Self.sigmas {
            let table = DiscreteGaussianTable(sigma: sigma)
            // Poisson's summation: Σ exp(-τx²) ≥ √(π/τ), and at least its term of zero.
            let sum = max((.pi / table.tau).squareRoot(), 1 + 2 * exp(-table.tau))
            #expect(1 - Double(table.scale) * sum * 0x1p-32 / Double(1 << table.shift) < refused)
        }
        /// Chernoff's bound on m - n + 1 refused of m, in bits.
        func bits(_ n: Int, _ m: Int) -> Double {
            let a = Double(m - n + 1) / Double(m)
            guard a > refused else { return 0 }
            let other = a < 1 ? (1 - a) * log2((1 - a) / (1 - refused)) : 0
            return Double(m) * (a * log2(a / refused) + other)
        }
        #expect((1...4096).allSatisfy { bits($0, DiscreteGaussianChunk.proposals(for: $0)) > 100 })
        // Control: no more than what is due on average.
        #expect(bits(4096, 4128) < 100)
    }

    @Test func theParameterIsNeverAboveTheOneAskedFor() {
        // Squares of these are exact, so that the closest Float64 of 1/(2σ²) can be checked by its residue.
        for sigma in [0.25, 0.5, 3, 10, 40, 1000, 0x1p26] {
            let table = DiscreteGaussianTable(sigma: sigma)
            #expect((-1.0).addingProduct(table.tau, 2 * sigma * sigma) <= 0)
            #expect((-1.0).addingProduct(table.tau.nextUp, 2 * sigma * sigma) > 0)
            #expect(table.sigma >= sigma && table.sigma < sigma * (1 + 0x1p-50))
        }
    }

    @Test func deviationsOutOfRangeTrap() async {
        for sigma in [0.2, 0x1.0001p26, .nan] {
            // Captures are coded, and NaN has no code.
            let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                [bits = sigma.bitPattern as UInt64] in
                _ = DiscreteGaussianTable(sigma: Double(bitPattern: bits))
            }
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("is in [0.25, 2^26], and \(sigma) was asked for"))
        }
        await #expect(processExitsWith: .success) { _ = DiscreteGaussianTable(sigma: 0.25) }
    }

    /// **Guarantee:** the tail has its law too: narrow cells let it begin at two deviations. n = 2¹⁷ proposals.
    @Test func theTailFollowsTheLaw() {
        var table = DiscreteGaussianTable(tau: 0x1p-19, shift: 0)
        func statistic() -> Double {
            var generator = SeededGenerator(seed: 51)
            var counts = [Int](repeating: 0, count: 160)
            for _ in 0..<1 << 17 {
                let word = generator.next()
                let first = UInt32(word >> 32)
                guard let x = table.draw(first, UInt32(truncatingIfNeeded: word), using: &generator) else { continue }
                counts[min(max((x >> 7) + 80, 0), 159)] += 1
            }
            var masses = [Double](repeating: 0, count: 160)
            for x in -80 * 128..<80 * 128 { masses[(x >> 7) + 80] += exp(-table.tau * Double(x * x)) }
            let (drawn, mass) = (counts.reduce(0, +), masses.reduce(0, +))
            let factor = Double(drawn) / mass
            return ChiSquare.statistic(counts, expected: masses.map { $0 * factor })
        }
        #expect(statistic() < 1)
        // Control: a tail that is accepted twice as often as it is due.
        table.weights[DiscreteGaussianTable.tail] /= 2
        #expect(statistic() > 1)
    }
}
