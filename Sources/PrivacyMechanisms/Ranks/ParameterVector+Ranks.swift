import PyTrees

extension ParameterVector {
    /// Takes the numbers of each rank's share of the columns.
    package mutating func gather(from ranks: Ranks) {
        withUnsafeMutableValues { values in
            guard let base = values.baseAddress else { return }
            ranks.allGather(base, shares: ranks.shares(ofColumns: values.count))
        }
    }
}
