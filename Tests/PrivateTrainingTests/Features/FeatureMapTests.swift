import LinearAlgebra
import PrivateTraining
import Testing

@Suite struct FeatureMapTests {
    /// Sums and differences of neighbors: a map of each row on its own.
    private struct Neighbors: FeatureMap {
        var inputCount = 4
        var featureCount = 6

        func features(of inputs: Matrix) -> Matrix {
            var result = Matrix(rows: inputs.rows, columns: featureCount)
            for row in 0..<inputs.rows {
                for column in 0..<3 {
                    result[row, 2 * column] = inputs[row, column] + inputs[row, column + 1]
                    result[row, 2 * column + 1] = inputs[row, column] - inputs[row, column + 1]
                }
            }
            return result
        }
    }

    /// The broken twin: it subtracts the mean over the batch, as batch normalization does.
    private struct Centered: FeatureMap {
        var inputCount = 4
        var featureCount = 4

        func features(of inputs: Matrix) -> Matrix {
            var result = inputs
            for column in 0..<4 {
                let mean = (0..<inputs.rows).reduce(Float(0)) { $0 + inputs[$1, column] } / Float(inputs.rows)
                for row in 0..<inputs.rows { result[row, column] -= mean }
            }
            return result
        }
    }

    /// A map whose features are fewer than it says.
    private struct Short: FeatureMap {
        var inputCount = 4
        var featureCount = 5

        func features(of inputs: Matrix) -> Matrix { Matrix(rows: inputs.rows, columns: 4) }
    }

    private static func dataset(_ count: Int) -> InMemoryDataset {
        var generator = SeededGenerator(seed: 7)
        let elements = (0..<4 * count).map { _ in Float.random(in: -1...1, using: &generator) }
        return InMemoryDataset(
            inputs: Matrix(rows: count, columns: 4, elements: elements),
            targets: .classes((0..<count).map { $0 % 2 }, classCount: 2), notCovered: ["Something."])
    }

    /// The property that ``FeatureMap`` asks for: with all other rows replaced, a row's features stay bit for bit.
    private func rowsAreIndependent(_ map: some FeatureMap) -> Bool {
        let dataset = Self.dataset(9)
        let features = dataset.mapped(by: map).inputs
        return (0..<9).allSatisfy { kept in
            var others = Matrix(rows: 9, columns: 4, elements: Array(repeating: 1e6, count: 36))
            for column in 0..<4 { others[kept, column] = dataset.inputs[kept, column] }
            let changed = InMemoryDataset(inputs: others, targets: dataset.targets).mapped(by: map).inputs
            return (0..<map.featureCount).allSatisfy {
                changed[kept, $0].bitPattern == features[kept, $0].bitPattern
            }
        }
    }

    @Test func theCheckTellsAMapFromItsBrokenTwin() {
        #expect(rowsAreIndependent(Neighbors()))
        #expect(!rowsAreIndependent(Centered()))
    }

    @Test(arguments: [0, 1, 255, 256, 257, 1000])
    func blocksMakeNoDifference(_ count: Int) {
        let dataset = Self.dataset(count)
        let whole = Neighbors().features(of: dataset.inputs)
        for blockSize in [1, 7, 256, 5000] {
            let mapped = dataset.mapped(by: Neighbors(), blockSize: blockSize)
            #expect(mapped.inputs == whole, "blocks of \(blockSize)")
            #expect(mapped.targets == dataset.targets)
            #expect(mapped.notCovered == ["Something."])
        }
    }

    @Test func whatDoesNotFitTraps() async {
        await #expect(processExitsWith: .failure) {
            let dataset = InMemoryDataset(
                inputs: Matrix(rows: 2, columns: 3), targets: .classes([0, 0], classCount: 1))
            _ = dataset.mapped(by: Neighbors())
        }
        await #expect(processExitsWith: .failure) { _ = Self.dataset(3).mapped(by: Short()) }
        await #expect(processExitsWith: .failure) { _ = Self.dataset(3).mapped(by: Neighbors(), blockSize: 0) }
    }
}
