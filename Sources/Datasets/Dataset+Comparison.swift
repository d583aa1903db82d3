import LinearAlgebra

extension Dataset {
    /// Whether `other` has the same examples in the same order: equal inputs, equal targets, and equal lengths where
    /// both have lengths.
    ///
    /// Data is compared as it was read, so that a link to a file, a copy, a compressed copy, or one with other line
    /// ends are all the same as the file. It is a guard against taking one file for another, and not a search for
    /// leaks: a part of the data, or the data in another order, is not the same. The answer depends on the data and
    /// is **not private**.
    ///
    /// Throws what reading throws. Sizes are compared first, and examples in blocks until two differ.
    public func hasSameExamples(as other: any Dataset) throws -> Bool {
        try agrees(with: other) { $0.inputs == $1.inputs && $0.targets == $1.targets }
    }

    /// Whether `other` has the same inputs in the same order, whatever its targets are, with lengths compared as
    /// ``hasSameExamples(as:)`` does. The answer is **not private**. Throws what reading throws.
    public func hasSameInputs(as other: any Dataset) throws -> Bool {
        try agrees(with: other) { $0.inputs == $1.inputs }
    }

    private func agrees(with other: any Dataset, _ isSame: (Examples, Examples) -> Bool) throws -> Bool {
        guard count == other.count, featureCount == other.featureCount else { return false }
        for begin in stride(from: 0, to: count, by: 1024) {
            let indices = Array(begin..<min(begin + 1024, count))
            let (mine, others) = (try examples(at: indices), try other.examples(at: indices))
            guard isSame(mine, others) else { return false }
            if let own = mine.lengths, let lengths = others.lengths, own != lengths { return false }
        }
        return true
    }
}
