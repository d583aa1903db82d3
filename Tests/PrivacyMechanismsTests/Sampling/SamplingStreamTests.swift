import Foundation
import Testing

@testable import PrivacyMechanisms

/// What the random bits are, and that the choices made of them are as likely as they ought to be.
struct SamplingStreamTests {
    private static let source = SamplingSource(nonPrivateSeed: 0)

    private static func stream(_ step: Int) -> SamplingStream { SamplingStream(source, .step(step)) }

    /// The cipher under the key of seed 0, which is the first 16 bytes of a SHA-256: see `KeyStreamTests`.
    private static let aes = ReferenceAES128(key: [UInt8](hex: "4cea76f00c4d8f31934047fea0ecadd7"))

    private static func words(domain: UInt64, count: Int) -> [UInt64] {
        (0..<count).map { index in
            let counter = [domain, UInt64(index / 2)].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
            }
            let half = aes.encrypt(counter)[(index % 2 * 8)...].prefix(8)
            return half.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    @Test func bitsAreAESInADomainOfTheirOwn() {
        let purposes: [(SamplingStream.Purpose, UInt64)] = [
            (.step(0), 1 << 56), (.step(7), 1 << 56 | 7), (.step((1 << 56) - 1), (1 << 57) - 1),
            (.epoch(0), 2 << 56), (.epoch(3), 2 << 56 | 3), (.layout, 3 << 56),
        ]
        for (purpose, domain) in purposes {
            var stream = SamplingStream(Self.source, purpose)
            // Across the first, second and third read.
            #expect((0..<60).map { _ in stream.next() } == Self.words(domain: domain, count: 60))
            #expect(stream.blocksDrawn == 32)
        }
        // Control: the noise's domain, of the same key.
        var stream = Self.stream(0)
        #expect((0..<60).map { _ in stream.next() } != Self.words(domain: 0, count: 60))
    }

    @Test(arguments: [2, 3, 6, 7, 10, 100, 1000])
    func integersAreUniform(bound: Int) {
        var stream = Self.stream(bound)
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<100_000 { counts[stream.uniform(below: bound)] += 1 }
        #expect(CountStatistics.isUniform(counts))
        // Control: a bound that is one too low at one place in fifty.
        var wrong = Self.stream(bound)
        var others = [Int](repeating: 0, count: bound)
        for _ in 0..<100_000 {
            let low = wrong.uniform(below: 10) == 0
            others[wrong.uniform(below: low ? bound - 1 : bound)] += 1
        }
        if bound <= 10 { #expect(!CountStatistics.isUniform(others)) }
    }

    /// 2⁶⁴ is no multiple of 3·2⁶¹: modulo would give its lower two thirds three times in eight each, and the rest
    /// twice.
    @Test func integersOfHugeBoundsAreWithoutModuloBias() {
        let (bound, draws) = (3 << 61, 20_000)
        func thirds(_ next: (inout SamplingStream) -> Int) -> [Int] {
            var stream = Self.stream(1)
            var counts = [0, 0, 0]
            for _ in 0..<draws { counts[next(&stream) >> 61] += 1 }
            return counts
        }
        #expect(CountStatistics.isUniform(thirds { $0.uniform(below: bound) }))
        // Control: modulo.
        #expect(!CountStatistics.isUniform(thirds { Int($0.next() % UInt64(bound)) }))
        // Multiplication without rejection hides its bias in the residues: of eight words in a row, three share theirs
        // with a neighbour.
        func evens(_ next: (inout SamplingStream) -> Int) -> [Int] {
            var stream = Self.stream(2)
            var counts = [0, 0, 0]
            for _ in 0..<draws { counts[next(&stream) % 3] += 1 }
            return counts
        }
        #expect(CountStatistics.isUniform(evens { $0.uniform(below: bound) }))
        #expect(!CountStatistics.isUniform(evens { Int($0.next().multipliedFullWidth(by: UInt64(bound)).high) }))
    }

    @Test(arguments: [1e-3, 0.25, 0.5, 0.9])
    func coinsHaveTheirProbability(p: Double) {
        var stream = Self.stream(3)
        let (trials, heads) = (200_000, (0..<200_000).count { _ in stream.coin(Dyadic.share(of: p)) })
        #expect(CountStatistics.isBinomial(heads, trials: trials, probability: p))
        #expect(!CountStatistics.isBinomial(heads, trials: trials, probability: p * (p < 0.01 ? 0.6 : 0.95)))
    }

    /// The gaps between selected indices are geometric, for probabilities on both sides of every change of block
    /// length.
    @Test(arguments: [0.003, 0.02, 0.1, 0.29, 0.3, 0.4, 0.5, 0.51, 0.7, 0.95])
    func selectionsHaveGeometricGaps(q: Double) {
        var stream = Self.stream(4)
        let selected = stream.selection(of: Int(1_000_000 / q), probability: q)
        let gaps = zip(selected, [-1] + selected).map { $0 - $1 - 1 }
        func isGeometric(_ gaps: [Int], _ q: Double) -> Bool {
            let (of, probabilities) = CountStatistics.categories(upTo: 20 + Int(20 / q), trials: gaps.count) {
                pow(1 - q, Double($0)) * q
            }
            var counts = [Int](repeating: 0, count: probabilities.count)
            for gap in gaps { counts[gap < of.count ? of[gap] : probabilities.count - 1] += 1 }
            return CountStatistics.isPlausible(counts, probabilities: probabilities)
        }
        #expect(CountStatistics.isBinomial(selected.count, trials: Int(1_000_000 / q), probability: q))
        // Verdicts are named, so that a failure prints no list of gaps.
        let (isRight, isOther) = (isGeometric(gaps, q), isGeometric(gaps, q * 0.96))
        #expect(isRight)
        // Controls: another probability; uniform places in a block, as without the second coin.
        #expect(!isOther)
        if q < 0.2 {
            let length = Int(1 / q)
            var random = SeededGenerator(seed: 1)
            let uniform = gaps.map { $0 / length * length + Int.random(in: 0..<length, using: &random) }
            let isUniform = isGeometric(uniform, q)
            #expect(!isUniform)
        }
    }

    @Test func selectionsOfTheExtremesAreExact() {
        var stream = Self.stream(5)
        #expect(stream.selection(of: 1000, probability: 0).isEmpty)
        #expect(stream.selection(of: 1000, probability: 1) == Array(0..<1000))
        #expect(stream.selection(of: 0, probability: 0.5).isEmpty)
        #expect(stream.blocksDrawn == 0)
        // Nothing overflows: 1/q is beyond Int, and n is all that there is.
        for q in [Double.leastNonzeroMagnitude, 1e-300, 1e-30, 1e-19] {
            #expect(stream.selection(of: .max, probability: q).count < 20)
        }
        // Control: a probability of 2⁻⁵³ finds about 1024 of 2⁶³.
        #expect((800...1250).contains(stream.selection(of: .max, probability: 0x1p-53).count))
        #expect(stream.selection(of: 1000, probability: 1 - 0x1p-53).count == 1000)
    }

    /// 10⁸ examples at q = 10⁻⁵ cost what 1000 do, in random bits. A selected index takes 1/(1 − 1/e) = 1.58
    /// trials of a place and e − 1 = 1.72 coins for it, on average: 4.3 words, 2.2 blocks; and a read at most doubles
    /// what was read.
    @Test func theWorkIsInProportionToTheBatch() {
        for (count, q) in [(100_000_000, 1e-5), (10_000, 0.1), (1_000_000_000_000, 1e-9)] {
            var stream = Self.stream(6)
            let batch = stream.selection(of: count, probability: q)
            #expect(CountStatistics.isBinomial(batch.count, trials: count, probability: q))
            #expect(stream.blocksDrawn < 3 * batch.count + 512)
        }
        // Control: a coin for each example takes half a block for each.
        var stream = Self.stream(6)
        let batch = (0..<1_000_000).filter { _ in stream.coin(Dyadic.share(of: 1e-3)) }
        #expect(stream.blocksDrawn > 3 * batch.count + 512)
    }

    @Test func permutationsAndSubsetsAreUniform() {
        func counts<Outcome: Hashable>(of number: Int, _ outcome: (inout SamplingStream) -> Outcome) -> [Int] {
            var stream = Self.stream(7)
            var counts: [Outcome: Int] = [:]
            for _ in 0..<60_000 { counts[outcome(&stream), default: 0] += 1 }
            return Array(counts.values) + [Int](repeating: 0, count: max(0, number - counts.count))
        }
        #expect(CountStatistics.isUniform(counts(of: 24) { $0.permutation(of: 4) }))
        #expect(CountStatistics.isUniform(counts(of: 10) { $0.subset(of: 5, size: 2) }))
        // 18 of 20: by a set instead of a list. Each of the 190 pairs that are left out.
        #expect(CountStatistics.isUniform(counts(of: 190) { $0.subset(of: 20, size: 18) }))
        // Controls: swapping with any place instead of the ones that are left; Floyd's subset without its last step.
        let biased = counts(of: 24) { stream in
            var order = [0, 1, 2, 3]
            for index in 0..<4 { order.swapAt(index, stream.uniform(below: 4)) }
            return order
        }
        #expect(!CountStatistics.isUniform(biased))
        let repeated = counts(of: 10) { stream in
            let first = stream.uniform(below: 4)
            return [first, (first + 1 + stream.uniform(below: 4 - first))]
        }
        #expect(!CountStatistics.isUniform(repeated))
        var stream = Self.stream(8)
        #expect(stream.subset(of: 7, size: 0).isEmpty && stream.subset(of: 7, size: 7) == Array(0..<7))
        #expect(stream.permutation(of: 0).isEmpty && stream.permutation(of: 1) == [0])
    }

    @Test func mistakesTrap() async {
        await #expect(processExitsWith: .failure) {
            var stream = SamplingStream(SamplingSource(nonPrivateSeed: 0), .step(0))
            _ = stream.uniform(below: 0)
        }
        await #expect(processExitsWith: .failure) {
            var stream = SamplingStream(SamplingSource(nonPrivateSeed: 0), .step(0))
            _ = stream.subset(of: 3, size: 4)
        }
        await #expect(processExitsWith: .failure) {
            _ = SamplingStream(SamplingSource(nonPrivateSeed: 0), .step(-1))
        }
        // Control: what is allowed does not.
        await #expect(processExitsWith: .success) {
            var stream = SamplingStream(SamplingSource(nonPrivateSeed: 0), .step(0))
            _ = (stream.uniform(below: 1), stream.subset(of: 3, size: 3))
        }
    }
}
