@testable import PrivacyMechanisms

/// Words that are given, and zeros after them.
struct ScriptedWords: RandomWords {
    let script: [UInt64]
    /// How many words have been asked for.
    private(set) var used = 0

    init(_ script: [UInt64]) { self.script = script }

    mutating func next() -> UInt64 {
        defer { used += 1 }
        return used < script.count ? script[used] : 0
    }

    /// Whether more words were asked for than the script has.
    var isExhausted: Bool { used > script.count }

    /// What `outcome` is with which probability, in units of 8⁻ᵈᵉᵖᵗʰ, if it depends on nothing of a word but the upper
    /// three bits: all sequences of words are tried, each as far as it is asked for.
    static func law<Outcome: Hashable>(
        depth: Int, of outcome: (inout ScriptedWords) -> Outcome
    ) -> [Outcome: UInt64] {
        var law: [Outcome: UInt64] = [:]
        func extend(_ script: [UInt64]) {
            var words = ScriptedWords(script)
            let result = outcome(&words)
            if words.isExhausted {
                precondition(script.count < depth, "More than \(depth) words were asked for.")
                for cell in UInt64(0)..<8 { extend(script + [cell << 61]) }
            } else {
                law[result, default: 0] += 1 << UInt64(3 * (depth - script.count))
            }
        }
        extend([])
        return law
    }

    /// g, if `coin` is true with probability g/(2⁶⁴d): words are below the threshold, at it, or above it, and at it a
    /// uniform integer below d decides. Both are found by trial: the threshold by bisection, since lower words succeed
    /// where higher ones do.
    static func numerator(over d: UInt64, coin: (_ word: UInt64, _ integer: UInt64) -> Bool) -> Natural {
        func count(_ isTrue: (UInt64) -> Bool) -> UInt64 {
            // No threshold is 2⁶⁴, so that the last word fails.
            var (low, high) = (UInt64(0), UInt64.max)
            while low < high {
                let middle = low + (high - low) / 2
                if isTrue(middle) { low = middle + 1 } else { high = middle }
            }
            return low
        }
        let certain = count { coin($0, d - 1) }
        let possible = count { coin($0, 0) }
        let decided = possible > certain ? (0..<d).count { coin(certain, $0) } : 0
        return Natural(certain) * Natural(d) + Natural(UInt64(decided))
    }

    /// A word of which `uniform(below: d)` makes `integer` at once.
    static func word(for integer: UInt64, below d: UInt64) -> UInt64 {
        // ⌈integer·2⁶⁴/d⌉ and one more, so that Lemire's method does not reject.
        integer == 0 ? 1 : d.dividingFullWidth((integer, 0)).quotient + 2
    }
}
