import Testing

@testable import PrivacyMechanisms

struct AcceptanceQuestionTests {
    /// **Guarantee:** where Float64 answers, it answers as exact arithmetic does.
    @Test func bothStagesAgree() {
        var (answered, twinDisagrees) = (0, 0)
        var generator = SeededGenerator(seed: 41)
        for sigma in [0.3, 3, 40, 1000, 0x1p20, 0x1p26] {
            let table = DiscreteGaussianTable(sigma: sigma)
            for _ in 0..<100 {
                let cell = Int.random(in: 900..<1140, using: &generator)
                let width = 1 << table.shift
                let x = (cell - 1023) * width + Int.random(in: 0..<width, using: &generator)
                let question = AcceptanceQuestion(table: table, x: x, weight: table.weights[cell], doublings: 0)
                let ratio = question.ratio(limbs: 2).upper
                // Coins about the ratio, down to a distance of 2⁻⁵⁰.
                let distance = UInt64(1) << UInt64.random(in: 14..<60, using: &generator)
                let top = ratio.limbs[2] == 1 ? UInt64.max : ratio.limbs[1]
                let near = generator.next() % 2 == 0 ? top &+ distance : top &- distance
                let bits = UInt64(32 - table.shift)
                var coin = UniformReal(
                    coin: UInt32(near >> (64 - bits)), coinBits: Int(bits),
                    first: near << bits | generator.next() >> (64 - bits))
                let quick = question.floatingPointAnswer(coin)
                let exact = question.exactAnswer(&coin, using: &generator)
                if let quick {
                    answered += 1
                    #expect(quick == exact)
                }
                // Control: a Float64 answer without its margin, by another weight.
                let twin = AcceptanceQuestion(table: table, x: x, weight: table.weights[cell] / 2 + 1, doublings: 0)
                if let other = twin.floatingPointAnswer(coin), other != exact { twinDisagrees += 1 }
            }
        }
        #expect(answered > 200 && twinDisagrees > 20)
    }

    @Test func theExactAnswerDrawsUntilItKnows() {
        // U agrees with the ratio in its first 256 bits, and differs in the following word.
        let table = DiscreteGaussianTable(sigma: 40)
        let question = AcceptanceQuestion(table: table, x: 13, weight: table.weights[1036], doublings: 0)
        let ratio = question.ratio(limbs: 8).lower.limbs.dropLast().reversed().map { $0 }
        for (last, expected) in [(UInt64(0), true), (UInt64.max, false)] {
            var coin = UniformReal(coin: 0, coinBits: 0, first: ratio[0])
            for limb in ratio[1..<4] { coin.append(limb) }
            coin.append(last)
            #expect(question.floatingPointAnswer(coin) == nil)
            var generator = SeededGenerator(seed: 42)
            #expect(question.exactAnswer(&coin, using: &generator) == expected)
            #expect(coin.wordCount == 8)
        }
    }
}
