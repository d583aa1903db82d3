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

    private func subset(_ indices: [Int]) -> InMemoryDataset {
        let examples = examples(at: indices)
        return InMemoryDataset(inputs: examples.inputs, targets: examples.targets, notCovered: notCovered)
    }
}
