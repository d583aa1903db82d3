import Requirements

extension InMemoryDataset {
    /// A copy of the examples at `places`. Traps unless there are such.
    public subscript(places: Range<Int>) -> InMemoryDataset { subset(Array(places)) }

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
        let isForTesting = Self.drawn(testShare, of: count, seed: seed)
        let places = 0..<count
        return (subset(places.filter { !isForTesting[$0] }), subset(places.filter { isForTesting[$0] }))
    }

    /// The examples of a random part of their owners apart from the others, in their order: of round(`testShare` · the
    /// number of owners) for testing. `owners[i]` names the owner of example i; `trainOwners` are those of `train`.
    ///
    /// **Guarantee:** nobody has examples in both parts, and which owners are for testing depends on the seed and on
    /// the order in which they first appear, never on what the examples hold. That order must itself be public.
    ///
    /// Traps unless `testShare` is in [0, 1] and there is an owner for each example.
    public func split<Owner: Hashable>(
        testShare: Double, seed: UInt64, owners: [Owner]
    ) -> (train: InMemoryDataset, test: InMemoryDataset, trainOwners: [Owner]) {
        require(
            testShare >= 0 && testShare <= 1, "The share to test on is \(testShare), but must be in [0, 1].")
        require(owners.count == count, "\(owners.count) owners do not fit \(count) examples.")
        var numbers: [Owner: Int] = [:]
        for owner in owners where numbers[owner] == nil { numbers[owner] = numbers.count }
        let isForTesting = Self.drawn(testShare, of: numbers.count, seed: seed)
        let tested = owners.map { isForTesting[numbers[$0]!] }
        let train = (0..<count).filter { !tested[$0] }
        return (subset(train), subset((0..<count).filter { tested[$0] }), train.map { owners[$0] })
    }

    /// Which places of `count` a random part holds: round(`share` · `count`) of them.
    private static func drawn(_ share: Double, of count: Int, seed: UInt64) -> [Bool] {
        var places = Array(0..<count)
        var generator = SplitMix64(seed: seed)
        var isDrawn = [Bool](repeating: false, count: count)
        // A Fisher–Yates shuffle as far as it is needed; the bias of a remainder is below count · 2⁻⁶⁴.
        for index in 0..<Int((share * Double(count)).rounded()) {
            places.swapAt(index, index + Int(generator.next() % UInt64(count - index)))
            isDrawn[places[index]] = true
        }
        return isDrawn
    }

    private func subset(_ indices: [Int]) -> InMemoryDataset {
        let examples = examples(at: indices)
        return InMemoryDataset(
            inputs: examples.inputs, targets: examples.targets, lengths: examples.lengths, notCovered: notCovered)
    }
}
