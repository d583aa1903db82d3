/// Which examples belong to which bin: each bin's examples one after the other, ascending.
///
/// 8 bytes for each participation and each bin.
struct Allocation: Hashable, Sendable {
    private let offsets: [Int]
    private let members: [Int]

    /// Puts example i into `bins[i]`. O(examples + bins).
    init(binCount: Int, bins: [Int]) {
        self.init(binCount: binCount, participations: bins.count) { visit in
            for (example, bin) in bins.enumerated() { visit(example, bin) }
        }
    }

    /// Puts examples into bins as `forEach` names them, which it does twice, in the same order, by ascending example.
    init(binCount: Int, participations: Int, forEach: ((_ example: Int, _ bin: Int) -> Void) -> Void) {
        var offsets = [Int](repeating: 0, count: binCount + 1)
        forEach { _, bin in offsets[bin + 1] += 1 }
        for bin in 0..<binCount { offsets[bin + 1] += offsets[bin] }
        var next = offsets
        var members = [Int](repeating: 0, count: participations)
        forEach { example, bin in
            members[next[bin]] = example
            next[bin] += 1
        }
        self.offsets = offsets
        self.members = members
    }

    var binCount: Int { offsets.count - 1 }

    subscript(bin: Int) -> ArraySlice<Int> { members[offsets[bin]..<offsets[bin + 1]] }
}
