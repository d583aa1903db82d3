import Requirements

/// The choices that samplers make.
///
/// **Guarantee:** given independent and uniform words, each has exactly the law that it states. No number in floating
/// point decides anything.
extension RandomWords {
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
