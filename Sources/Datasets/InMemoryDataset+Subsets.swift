import Requirements

extension InMemoryDataset {
    /// The first `count` examples, or all if there are fewer.
    public func prefix(_ count: Int) -> InMemoryDataset { subset(Array((0..<self.count).prefix(count))) }

    /// The last `count` examples, or all if there are fewer.
    public func suffix(_ count: Int) -> InMemoryDataset { subset(Array((0..<self.count).suffix(count))) }

    /// Every `step`-th example, the one at `first` to begin with, apart from the others: usually the test set.
    ///
    /// **Guarantee:** who is where depends on places alone, never on what the examples hold. The place of an example
    /// must itself be public, such as the number of a record: where one person's leaving makes all later ones move up,
    /// that person decides about the others' part.
    ///
    /// Traps unless `step` is at least 1 and `first` in 0..<`step`.
    public func split(every step: Int, from first: Int = 0) -> (others: InMemoryDataset, taken: InMemoryDataset) {
        require(step >= 1, "A stride must be at least 1, not \(step).")
        require((0..<step).contains(first), "The first place must be in 0..<\(step), not \(first).")
        let places = 0..<count
        return (subset(places.filter { $0 % step != first }), subset(places.filter { $0 % step == first }))
    }

    /// A random part of the examples apart from the others, in their order: round(`testShare` · `count`) of them are
    /// for testing. The same seed and number of examples make the same parts.
    ///
    /// **Guarantee:** which places are for testing depends on the number of examples and the seed alone, never on what
    /// the examples hold. The place of an example and the number of examples must themselves be public: where one
    /// person's leaving makes all later ones move up, that person decides about the others' part.
    ///
    /// Traps unless `testShare` is in [0, 1].
    public func split(testShare: Double, seed: UInt64) -> (train: InMemoryDataset, test: InMemoryDataset) {
        require(
            testShare >= 0 && testShare <= 1, "The share to test on is \(testShare), but must be in [0, 1].")
        var places = Array(0..<count)
        var generator = SplitMix64(seed: seed)
        // A Fisher–Yates shuffle as far as it is needed; the bias of a remainder is below count · 2⁻⁶⁴.
        let testCount = Int((testShare * Double(count)).rounded())
        for index in 0..<testCount {
            places.swapAt(index, index + Int(generator.next() % UInt64(count - index)))
        }
        return (subset(places[testCount...].sorted()), subset(places[..<testCount].sorted()))
    }

    private func subset(_ indices: [Int]) -> InMemoryDataset {
        let examples = examples(at: indices)
        return InMemoryDataset(inputs: examples.inputs, targets: examples.targets, notCovered: notCovered)
    }
}
