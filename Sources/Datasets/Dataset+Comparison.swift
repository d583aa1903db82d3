import LinearAlgebra

extension Dataset {
    /// Whether `other` has the same examples in the same order: equal inputs, and equal targets.
    ///
    /// Data is compared as it was read, so that a link to a file, a copy, a compressed copy, or one with other line
    /// ends are all the same as the file. It is a guard against taking one file for another, and not a search for
    /// leaks: a part of the data, or the data in another order, is not the same. The answer depends on the data and
    /// is **not private**.
    ///
    /// Throws what reading throws. Sizes are compared first, and examples in blocks until two differ.
    public func hasSameExamples(as other: any Dataset) throws -> Bool {
        guard count == other.count, featureCount == other.featureCount else { return false }
        for begin in stride(from: 0, to: count, by: 1024) {
            let indices = Array(begin..<min(begin + 1024, count))
            let (mine, others) = (try examples(at: indices), try other.examples(at: indices))
            guard mine.inputs == others.inputs, mine.targets == others.targets else { return false }
        }
        return true
    }
}
