import Foundation
import Requirements

extension SamplingStream {
    /// A uniform integer in 0..<`bound`, without bias: multiplied up, and rejected where the cells are uneven (Lemire,
    /// arXiv 1805.10941, algorithm 5). Written out here so that batches do not change with the standard library's.
    mutating func uniform(below bound: Int) -> Int {
        require(bound > 0, "A number below \(bound) was asked for; there is none.")
        let bound = UInt64(bound)
        if bound == 1 { return 0 }
        var product = bound.multipliedFullWidth(by: next())
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = bound.multipliedFullWidth(by: next()) }
        }
        return Int(product.high)
    }

    /// True with `probability`, rounded down to a multiple of 2⁻⁶⁴; 0 and 1 are exact.
    mutating func bernoulli(_ probability: Double) -> Bool {
        if probability >= 1 { return true }
        return next() < UInt64(probability * 0x1p64)
    }

    /// Each of 0..<`count` independently with probability q, ascending.
    ///
    /// **Guarantee:** given everything before it, each index is selected with a probability within q·(1 ± 2⁻⁴⁷), for
    /// q ≥ 10⁻³⁰; q = 0 and q = 1 are exact. The time, and the number of random words, is proportional to the
    /// selection, about five words for each index in it, whatever `count` is.
    ///
    /// Above q = ½ each index has a coin of its own. Otherwise blocks of B indices are skipped whole with probability
    /// (1 − q)ᴮ; B is chosen so that this is in [½, 0.71). In a block that is not skipped, the first selected place has
    /// probability ∝ (1 − q)^place: a uniform place, accepted with (1 − q)^place ≥ ½. The index after it begins a new
    /// block. Inverting the geometric distribution instead takes one word, but there q is the difference of two
    /// roundings of size 2⁻⁵³: its relative error is 10⁻¹⁶/q.
    ///
    /// The bound: skipping and accepting are off by at most 2⁻⁵⁰ relative (log1p, exp and expm1 are trusted to 1 ulp,
    /// exponents are at most ln 2), the chance of a place is a product of two such numbers over a sum of them, and
    /// that of the places before it is a sum of such products below ½, taken from 1: together less than 8·2⁻⁵⁰.
    mutating func selection(of count: Int, probability q: Double) -> [Int] {
        if q <= 0 || count <= 0 { return [] }
        if q >= 1 { return Array(0..<count) }
        let rate = -log1p(-q)
        let length = max(1, Int(min(0x1p62, log(2) / rate)))
        let hit = length == 1 ? q : -expm1(-rate * Double(length))
        var selected: [Int] = []
        selected.reserveCapacity(Int(min(Double(count), Double(count) * q * 1.125 + 16)))
        var begin = 0
        while begin < count {
            guard bernoulli(hit) else {
                if length >= count - begin { break }
                begin += length
                continue
            }
            var place: Int
            repeat { place = uniform(below: length) } while !bernoulli(exp(-rate * Double(place)))
            if place >= count - begin { break }
            selected.append(begin + place)
            begin += place + 1
        }
        return selected
    }

    /// A uniformly random subset of 0..<`count` with `size` elements, ascending (Floyd, CACM 30(9), 1987).
    /// O(size · log size).
    mutating func subset(of count: Int, size: Int) -> [Int] {
        require((0...count).contains(size), "A subset of \(size) of \(count) was asked for; there is none.")
        if size == count { return Array(0..<count) }
        if size <= 16 {
            var chosen: [Int] = []
            for last in count - size..<count {
                let candidate = uniform(below: last + 1)
                chosen.append(chosen.contains(candidate) ? last : candidate)
            }
            return chosen.sorted()
        }
        var chosen = Set<Int>(minimumCapacity: size)
        for last in count - size..<count where !chosen.insert(uniform(below: last + 1)).inserted {
            chosen.insert(last)
        }
        return chosen.sorted()
    }

    /// A uniformly random permutation of 0..<`count` (Fisher and Yates). O(count).
    mutating func permutation(of count: Int) -> [Int] {
        var order = Array(0..<count)
        for index in stride(from: count - 1, to: 0, by: -1) { order.swapAt(index, uniform(below: index + 1)) }
        return order
    }
}
