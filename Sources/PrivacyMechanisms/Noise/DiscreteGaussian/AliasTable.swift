import Requirements

/// Walker's alias method over 2048 entries in integers: entry i comes out with probability weights[i]/2³², exactly.
///
/// Each entry has a column of 2²¹ units. The lower `threshold` of them belong to the entry itself, the others to its
/// alias; over all columns, entry i has weights[i] units (Vose, IEEE Transactions on Software Engineering 17, 1991).
enum AliasTable {
    static let entries = 2048
    static let column: UInt64 = 1 << 21

    /// threshold << 11 | alias. An entry that has its whole column is its own alias, with threshold 0.
    ///
    /// Traps unless there are 2048 weights with the sum 2³².
    static func make(_ weights: [UInt32]) -> [UInt32] {
        require(weights.count == entries, "An alias table has \(entries) weights, not \(weights.count).")
        var left = weights.map(UInt64.init)
        let sum = left.reduce(0, +)
        require(sum == 1 << 32, "The weights of an alias table add up to 2^32, not to \(sum).")
        var table = (0..<UInt32(entries)).map { $0 }
        var small = left.indices.filter { left[$0] < column }
        var large = left.indices.filter { left[$0] > column }
        while let entry = small.popLast(), let donor = large.last {
            table[entry] = UInt32(left[entry]) << 11 | UInt32(donor)
            left[donor] -= column - left[entry]
            guard left[donor] <= column else { continue }
            large.removeLast()
            if left[donor] < column { small.append(donor) }
        }
        return table
    }
}
