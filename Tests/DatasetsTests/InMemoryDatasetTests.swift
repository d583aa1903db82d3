import Datasets
import LinearAlgebra
import Testing

@Suite struct InMemoryDatasetTests {
    /// Ten examples whose features and class say which they are.
    private let dataset = InMemoryDataset(
        inputs: Matrix(rows: 10, columns: 2, elements: (0..<20).map(Float.init)),
        targets: .classes((0..<10).map { $0 % 3 }, classCount: 3), notCovered: ["Something."])

    private func places(_ dataset: InMemoryDataset) -> [Int] {
        (0..<dataset.count).map { Int(dataset.inputs[$0, 0]) / 2 }
    }

    @Test func gathersInTheAskedOrderAndRepeats() {
        let examples = dataset.examples(at: [7, 0, 7])
        #expect(examples.inputs == Matrix(rows: 3, columns: 2, elements: [14, 15, 0, 1, 14, 15]))
        #expect(examples.targets == .classes([1, 0, 1], classCount: 3))
        #expect(dataset.examples(at: []).count == 0)
    }

    @Test func gathersTargetsThatAreNumbers() {
        let values = Matrix(rows: 3, columns: 1, elements: [5, 6, 7])
        let dataset = InMemoryDataset(inputs: Matrix(rows: 3, columns: 0), targets: .values(values))
        #expect(dataset.examples(at: [2, 1]).targets == .values(Matrix(rows: 2, columns: 1, elements: [7, 6])))
    }

    /// So many elements that several threads copy them.
    @Test func gathersOnSeveralThreads() {
        let (rows, columns) = (3000, 300)
        let inputs = Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map(Float.init))
        let indices = (0..<rows).map { $0 * 1009 % rows }
        let examples = InMemoryDataset(
            inputs: inputs, targets: .classes(Array(repeating: 0, count: rows), classCount: 1)
        ).examples(at: indices)
        for (row, index) in indices.enumerated() {
            #expect(examples.inputs[row, 0] == inputs[index, 0])
            #expect(examples.inputs[row, columns - 1] == inputs[index, columns - 1])
        }
    }

    @Test func subsetsDependOnPlacesAlone() {
        #expect(places(dataset.prefix(3)) == [0, 1, 2])
        #expect(places(dataset.suffix(2)) == [8, 9])
        #expect(dataset.prefix(99).count == 10)
        let (others, taken) = dataset.split(every: 4, from: 1)
        #expect(places(taken) == [1, 5, 9])
        #expect(places(others) == [0, 2, 3, 4, 6, 7, 8])
        #expect(taken.targets == .classes([1, 2, 0], classCount: 3))
    }

    /// Lengths go wherever their examples go, and a data set is not the same with other lengths.
    @Test func lengthsAreCarriedOn() throws {
        let lengths = (1...10).map { $0 }
        let sequences = InMemoryDataset(inputs: dataset.inputs, targets: dataset.targets, lengths: lengths)
        #expect(sequences.examples.lengths == lengths)
        #expect(sequences.examples(at: [7, 0, 7]).lengths == [8, 1, 8])
        #expect(sequences.prefix(2).lengths == [1, 2] && sequences.suffix(1).lengths == [10])
        #expect(sequences.split(every: 4, from: 1).taken.lengths == [2, 6, 10])
        let parts = sequences.split(testShare: 0.3, seed: 3, owners: Array("abcdefghij"))
        #expect(Set(try #require(parts.test.lengths)).isDisjoint(with: try #require(parts.train.lengths)))
        #expect(dataset.prefix(2).lengths == nil)

        var others = lengths
        others[9] = 1
        let shorter = InMemoryDataset(inputs: dataset.inputs, targets: dataset.targets, lengths: others)
        #expect(try sequences.hasSameExamples(as: sequences) && !sequences.hasSameExamples(as: shorter))
        #expect(try !sequences.hasSameInputs(as: shorter))
        // The same inputs without lengths are no other data, only read otherwise.
        #expect(try sequences.hasSameExamples(as: dataset) && dataset.hasSameExamples(as: sequences))
        let relabelled = InMemoryDataset(
            inputs: dataset.inputs, targets: .classes(Array(repeating: 0, count: 10), classCount: 3))
        #expect(try dataset.hasSameInputs(as: relabelled) && !dataset.hasSameExamples(as: relabelled))
    }

    @Test func subsetsPassOnWhatIsNotCovered() {
        #expect(dataset.prefix(1).notCovered == ["Something."])
        #expect(dataset.split(every: 2).taken.notCovered == ["Something."])
        #expect(InMemoryDataset(inputs: dataset.inputs, targets: dataset.targets).notCovered.isEmpty)
    }

    @Test func whatDoesNotFitTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = InMemoryDataset(inputs: Matrix(rows: 1, columns: 1), targets: .classes([2], classCount: 2))
        }
        await #expect(processExitsWith: .failure) {
            _ = InMemoryDataset(
                inputs: Matrix(rows: 1, columns: 1), targets: .classes([1], classCount: 2), lengths: [1, 1])
        }
        await #expect(processExitsWith: .failure) {
            _ = InMemoryDataset(inputs: Matrix(rows: 2, columns: 1), targets: .classes([0], classCount: 2))
        }
        await #expect(processExitsWith: .failure) {
            let one = InMemoryDataset(inputs: Matrix(rows: 1, columns: 1), targets: .classes([0], classCount: 1))
            _ = one.examples(at: [1])
        }
        await #expect(processExitsWith: .failure) {
            let one = InMemoryDataset(inputs: Matrix(rows: 1, columns: 1), targets: .classes([0], classCount: 1))
            _ = one.split(every: 2, from: 2)
        }
    }

    @Test func rowsOfNumbersMakeADataSet() async {
        let numbers = InMemoryDataset(inputs: [[1, 2], [3, 4], [5, 6]], targets: [7, 8, 9])
        #expect(numbers.inputs == Matrix(rows: 3, columns: 2, elements: [1, 2, 3, 4, 5, 6]))
        #expect(numbers.targets == .values(Matrix(rows: 3, columns: 1, elements: [7, 8, 9])))
        let classes = InMemoryDataset(inputs: [[1], [2]], classes: [1, 0], classCount: 2, notCovered: ["A bound."])
        #expect(classes.targets == .classes([1, 0], classCount: 2) && classes.notCovered == ["A bound."])
        func sentence(_ result: ExitTest.Result?) -> String {
            String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        }
        let ragged = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = InMemoryDataset(inputs: [[1, 2], [3]], targets: [7, 8])
        }
        #expect(sentence(ragged).contains("Row 1 has 1 numbers, but row 0 has 2"))
        let forgotten = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = InMemoryDataset(inputs: [[1], [2]], classes: [0], classCount: 2)
        }
        #expect(sentence(forgotten).contains("1 targets do not fit 2 rows"))
        let wrong = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = InMemoryDataset(inputs: [[1], [2]], classes: [0, 2], classCount: 2)
        }
        #expect(sentence(wrong).contains("Example 1 is of class 2, outside 0..<2"))
    }

    /// Whatever the examples hold, the same places are chosen.
    @Test func aSeededSplitDependsOnPlacesAlone() {
        let (train, test) = dataset.split(testShare: 0.3, seed: 5)
        #expect(test.count == 3 && (places(train) + places(test)).sorted() == Array(0..<10))
        #expect(places(train) == places(train).sorted() && places(test) == places(test).sorted())
        #expect(train.notCovered == ["Something."] && test.notCovered == ["Something."])
        let reversed = InMemoryDataset(
            inputs: (0..<10).map { [Float(19 - 2 * $0), 0] }, targets: [Float](repeating: 1, count: 10))
        let other = reversed.split(testShare: 0.3, seed: 5).test
        #expect((0..<3).map { (19 - Int(other.inputs[$0, 0])) / 2 } == places(test))
        // Some seed makes another choice; all and nothing are choices, too.
        #expect((0..<10).contains { places(dataset.split(testShare: 0.3, seed: $0).test) != places(test) })
        #expect(dataset.split(testShare: 0, seed: 1).test.count == 0)
        #expect(dataset.split(testShare: 1, seed: 1).train.count == 0)
        // Every place is tested on by some seed: a choice of the first three would not be random.
        #expect(Set((0..<100).flatMap { places(dataset.split(testShare: 0.3, seed: $0).test) }).count == 10)
    }
}
