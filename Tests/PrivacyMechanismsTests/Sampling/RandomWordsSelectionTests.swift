import PrivacyAccounting
import Testing

@testable import PrivacyMechanisms

/// That selections have their law exactly: thresholds are found by trial, and probabilities compared as integers.
struct RandomWordsSelectionTests {
    /// A coin is true with g/(2⁶⁴d), for thresholds that are words and such that lie between two.
    @Test func coinsAreExact() {
        var random = SeededGenerator(seed: 1)
        for d: UInt64 in [1, 2, 3, 5, 7, 20] {
            let shares = [0, 1, 2, d, d + 1, 1 << 63, .max - 1, .max] + (0..<10).map { _ in random.next() }
            for share in shares {
                func numerator(of coin: (inout ScriptedWords) -> Bool) -> Natural {
                    ScriptedWords.numerator(over: d) { word, integer in
                        var words = ScriptedWords([word, ScriptedWords.word(for: integer, below: d)])
                        return coin(&words)
                    }
                }
                #expect(numerator { $0.coin(share, over: d) } == Natural(share), "\(share) over \(d)")
                // Control: a threshold that is rounded to a word.
                let rounded = numerator { $0.coin(share / d) }
                #expect((rounded == Natural(share)) == share.isMultiple(of: d))
            }
        }
    }

    /// (1 − p)ʲ, from the coins that are really thrown: each is the last before one that fails, and the parity of the
    /// outcome tells whether it succeeded.
    @Test(arguments: [(0x1p-1, 1), (0.3, 2), (0.24, 4), (0.1, 9), (0.0917, 10), (0x1p-40, 12), (1e-17, 5)])
    func powersAreExact(p: Double, exponent: Int) {
        let share = Dyadic.share(of: p)
        func numerator(of index: Int) -> Natural {
            let d = UInt64(index + 1)
            return ScriptedWords.numerator(over: d) { word, integer in
                // Words of 0 succeed, and the greatest fail, also as the integer that decides on a threshold.
                let start = [UInt64](repeating: 0, count: index) + [word]
                func outcome(_ rest: [UInt64]) -> (isTrue: Bool, used: Int) {
                    var words = ScriptedWords(start + rest)
                    let isEven = words.survives(UInt64(exponent), share: share)
                    return (isEven != index.isMultiple(of: 2), words.used)
                }
                let (isTrue, used) = outcome([.max])
                let isOnThreshold = !isTrue && used == index + 2
                return isOnThreshold ? outcome([ScriptedWords.word(for: integer, below: d), .max]).isTrue : isTrue
            }
        }
        /// Whether Σᵢ (−1)ⁱ Π_{m < i} N_m/(2⁶⁴(m + 1)) = (1 − p)ʲ, times 2^{64j}·j!.
        func isPower(_ numerators: [Natural]) -> Bool {
            let word = Natural(1 << 32) * Natural(1 << 32)
            var (even, odd, product) = (Natural(0), Natural(0), Natural(1))
            for index in 0...exponent {
                let factorials = (index..<exponent).reduce(Natural(1)) { $0 * Natural(UInt64($1 + 1)) }
                let term = product * word.power(exponent - index) * factorials
                if index.isMultiple(of: 2) { even = even + term } else { odd = odd + term }
                if index < exponent { product = product * numerators[index] }
            }
            let factorial = (0..<exponent).reduce(Natural(1)) { $0 * Natural(UInt64($1 + 1)) }
            return even == Natural(0 &- share).power(exponent) * factorial + odd
        }
        let numerators = (0..<exponent).map(numerator)
        #expect(isPower(numerators))
        // Control: one coin off by 2⁻⁶⁴/j.
        #expect(!isPower(numerators.dropLast() + [numerators[exponent - 1] + Natural(1)]))
    }

    /// All selections of three indices, with the exact probability of each.
    @Test(arguments: [(0.25, 1), (0.5, 2), (0.75, 3)] as [(Double, UInt64)])
    func selectionsAreExact(q: Double, quarters: UInt64) {
        let depth = 16
        func isExact(_ law: [[Int]: UInt64]) -> Bool {
            // Σ over subsets: quartersᵐ(4 − quarters)³⁻ᵐ/64 of 8¹⁶.
            (0..<8).allSatisfy { subset in
                let selected = (0..<3).filter { subset >> $0 & 1 == 1 }
                let ways = (0..<3).reduce(UInt64(1)) { $0 * (selected.contains($1) ? quarters : 4 - quarters) }
                return law[selected, default: 0] == ways << UInt64(3 * (depth - 2))
            }
        }
        #expect(isExact(ScriptedWords.law(depth: depth) { $0.selection(of: 3, probability: q) }))
        // The same by hand, and twins: places accepted with one power too many; all accepted; blocks one too long.
        func twin(extra: UInt64, accepts: Bool, longer: Int) -> [[Int]: UInt64] {
            ScriptedWords.law(depth: depth) { words in
                let share = Dyadic.share(of: q)
                let length = UInt64.max / share
                var (selected, begin) = ([Int](), 0)
                while begin < 3 {
                    let place = words.next() / share
                    if place < length, words.survives(place + extra, share: share) || accepts {
                        if begin + Int(place) < 3 { selected.append(begin + Int(place)) }
                        begin += Int(place) + 1
                    } else {
                        begin += Int(length) + longer
                    }
                }
                return selected
            }
        }
        #expect(isExact(twin(extra: 0, accepts: false, longer: 0)))
        #expect(!isExact(twin(extra: 1, accepts: false, longer: 0)))
        // A block of one has no power to get wrong, and of three indices no block of three is too long.
        #expect(isExact(twin(extra: 0, accepts: true, longer: 0)) == (q >= 0.5))
        #expect(isExact(twin(extra: 0, accepts: false, longer: 1)) == (q < 0.5))
    }

    /// Each place of a block has the same number of words, k.
    @Test(arguments: [1e-18, 0x1p-53, 1e-5, 0.013, 0.3])
    func placesAreUniform(q: Double) {
        let share = Dyadic.share(of: q)
        func first(of count: UInt64, _ word: UInt64) -> Int? {
            // The coin after it fails at once, and so the place is accepted.
            var words = ScriptedWords([word, .max, .max])
            return words.selection(of: Int(count), probability: q).first
        }
        let length = UInt64.max / share
        for place in [0, 1, 2, length / 2, length - 1] where place < length {
            #expect(first(of: place + 1, place * share) == Int(place))
            #expect(first(of: place + 1, place * share + (share - 1)) == Int(place))
            // Control: the word after them belongs to the next place, or to none.
            #expect(first(of: place + 1, (place + 1) * share) == nil)
        }
    }

    /// Down to the next multiple of 2⁻⁶⁴, which is the number itself from 2⁻¹² on.
    @Test func probabilitiesAreRoundedDown() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<1000 {
            let q = Double.random(in: 1..<2, using: &random) * 0x1p-12
            #expect(Dyadic.roundedDown(q) == q)
            let small = q * Double(sign: .plus, exponent: -Int.random(in: 1...52, using: &random), significand: 1)
            let used = Dyadic.roundedDown(small)
            #expect(used <= small && small < used + 0x1p-64)
            #expect(Double(Dyadic.share(of: small)) * 0x1p-64 == used)
        }
        #expect(Dyadic.roundedDown(1) == 1 && Dyadic.roundedDown(0) == 0)
        #expect(Dyadic.share(of: 0x1p-64) == 1 && Dyadic.share(of: (0x1p-64).nextDown) == 0)
        let largest: UInt64 = 0 &- 1 << 11
        #expect(Dyadic.share(of: 1 - 0x1p-53) == largest)
    }

    /// What rounding down rests on: both accountants charge less for less.
    @Test func anEventCoversSmallerProbabilities() throws {
        func delta(_ q: Double) throws -> Double {
            try PrivacyLossDistributionAccountant().delta(
                of: .dpSGD(noiseMultiplier: 1, samplingProbability: q, iterations: 50), epsilon: 0.5)
        }
        func epsilon(_ q: Double) throws -> Double {
            try RenyiAccountant(relation: .addOrRemoveOne).epsilon(
                of: .dpSGD(noiseMultiplier: 1, samplingProbability: q, iterations: 50), delta: 1e-6)
        }
        for q in [0.001, 0.03, 0.5, 0.9] {
            #expect(try delta(q * 0.99) < delta(q) && epsilon(q * 0.99) < epsilon(q))
        }
    }

    /// Truncation is told the probability that is used, to the last bit.
    @Test func truncationNamesTheProbabilityThatIsUsed() throws {
        func probability(_ q: Double) throws -> Double? {
            let sampler = try TruncatedPoissonSampler(
                exampleCount: 100, samplingProbability: q, maximumBatchSize: 10)
            let choice = try sampler.participation(in: 3).choice
            guard case .truncated(let probability, _, _, _) = choice else { return nil }
            return probability
        }
        #expect(try probability(0.1) == 0.1)
        #expect(try probability(1e-5) == Dyadic.roundedDown(1e-5) && Dyadic.roundedDown(1e-5) < 1e-5)
    }
}
