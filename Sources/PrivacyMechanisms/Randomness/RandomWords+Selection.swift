extension RandomWords {
    /// Each of 0..<`count` independently with probability q′ = ⌊q·2⁶⁴⌋/2⁶⁴ for q < 1, and 1 for q = 1; ascending.
    ///
    /// q′ is q itself for q ≥ 2⁻¹², whose last bit is worth 2⁻⁶⁴ or more, and 0 for q < 2⁻⁶⁴. The time, and the number
    /// of random words, is proportional to the selection, about four words for each index in it, whatever `count` is.
    ///
    /// **Guarantee:** given independent and uniform words,
    /// - the law is exact: its distance from independent choices with q′ is 0, and a report has nothing to add to δ;
    /// - q − 2⁻⁶⁴ < q′ ≤ q.
    ///
    /// Proof. Let q′ = k/2⁶⁴. A trial decides on a block of B = ⌊(2⁶⁴ − 1)/k⌋ indices: ⌊w/k⌋ of a word w is any place
    /// j < B with probability k/2⁶⁴ = q′, and is accepted with (1 − q′)ʲ. So j is the first selected place of the block
    /// with q′(1 − q′)ʲ, as it ought to be; and the block is skipped with what is left, (1 − q′)ᴮ. The index after a
    /// selected one begins a new block. B affects the cost alone: it is skipped in at most half of the cases.
    mutating func selection(of count: Int, probability q: Double) -> [Int] {
        if q >= 1 { return Array(0..<max(0, count)) }
        let share = Dyadic.share(of: q)
        if share == 0 || count <= 0 { return [] }
        let length = UInt64.max / share
        var selected: [Int] = []
        selected.reserveCapacity(Int(min(Double(count), Double(count) * q * 1.125 + 16)))
        var begin = 0
        while begin < count {
            let place = next() / share
            if place < length, survives(place, share: share) {
                if place >= count - begin { break }
                selected.append(begin + Int(place))
                begin += Int(place) + 1
            } else {
                if length >= count - begin { break }
                begin += Int(length)
            }
        }
        return selected
    }

    /// The same; where more than `most` are selected, a uniformly random subset of that size. Ascending.
    mutating func selection(of count: Int, probability q: Double, atMost most: Int?) -> [Int] {
        let drawn = selection(of: count, probability: q)
        guard let most, drawn.count > most else { return drawn }
        return subset(of: drawn.count, size: most).map { drawn[$0] }
    }

    /// True with probability (1 − p)ʲ, exactly, for p = `share`/2⁶⁴ and pj < 1. At most e words on average.
    ///
    ///     (1 − p)ʲ = Σᵢ (−1)ⁱ C(j, i) pⁱ
    ///
    /// Coins of (j − i)p/(i + 1) for i = 0, 1, … are thrown until one fails: the first i succeed with C(j, i)pⁱ, their
    /// product, and the number of successes is even with the alternating sum of these. (Von Neumann's method for e⁻ˣ,
    /// as in arXiv 2004.00010, algorithm 1, with a binomial in the place of the exponential series.)
    mutating func survives(_ exponent: UInt64, share: UInt64) -> Bool {
        var successes: UInt64 = 0
        // The last coin, of 0, is not thrown.
        while successes < exponent, coin((exponent - successes) * share, over: successes + 1) { successes += 1 }
        return successes.isMultiple(of: 2)
    }

    /// True with probability g/(2⁶⁴d), exactly, for g = `share`, d = `divisor` ≥ 1. One word, nearly always.
    ///
    /// A word w is the real numbers in [w, w + 1), of which those below g/d succeed: all, none, or, for one word among
    /// 2⁶⁴, the fraction (g − wd)/d.
    mutating func coin(_ share: UInt64, over divisor: UInt64 = 1) -> Bool {
        let product = next().multipliedFullWidth(by: divisor)
        guard product.high == 0, product.low < share else { return false }
        let rest = share - product.low
        return rest >= divisor || uniform(below: Int(divisor)) < rest
    }
}

/// Probabilities as multiples of 2⁻⁶⁴.
///
/// Rounding down is on the safe side of Poisson sampling: an event with q covers sampling with any q′ ≤ q. Let P and P′
/// be the laws of a step's outcome for two neighbours at rate q, and R the law without the example in which they
/// differ. At rate q′ the laws are λP + (1 − λ)R and λP′ + (1 − λ)R with λ = q′/q. δ at any ε, and the moments behind
/// Rényi divergences, are jointly convex and least for (R, R): none is larger for these two than for P and P′. A pair
/// that dominates every step at rate q therefore does at rate q′, and its composition dominates the run.
enum Dyadic {
    /// ⌊p·2⁶⁴⌋ for p in [0, 1). The product is exact.
    static func share(of probability: Double) -> UInt64 { UInt64(probability * 0x1p64) }

    /// ⌊p·2⁶⁴⌋/2⁶⁴ for p in [0, 1], which has no more digits than p.
    static func roundedDown(_ probability: Double) -> Double { (probability * 0x1p64).rounded(.down) * 0x1p-64 }
}
