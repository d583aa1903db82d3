import Datasets
import LinearAlgebra
import Synchronization
import Testing

@Suite struct FeatureMapTests {
    /// Sums and differences of neighbors: a map of each row on its own.
    private struct Neighbors: FeatureMap {
        var inputCount = 4
        var featureCount = 6

        func writeFeatures(of input: Span<Float>, to features: inout MutableSpan<Float>, scratch: inout Void) {
            for column in 0..<3 {
                features[2 * column] = input[column] + input[column + 1]
                features[2 * column + 1] = input[column] - input[column + 1]
            }
        }
    }

    /// The broken twin: it subtracts the mean of all images that it has seen so far.
    private struct Centered: FeatureMap {
        private static let seen = Mutex((sum: Float(0), count: Float(0)))

        var inputCount = 4
        var featureCount = 4

        func writeFeatures(of input: Span<Float>, to features: inout MutableSpan<Float>, scratch: inout Void) {
            let first = input[0]
            let mean = Self.seen.withLock { seen in
                seen = (seen.sum + first, seen.count + 1)
                return seen.sum / seen.count
            }
            for column in 0..<4 { features[column] = input[column] - mean }
        }
    }

    /// Writes only what is positive.
    private struct Positive: FeatureMap {
        var inputCount = 4
        var featureCount = 4

        func writeFeatures(of input: Span<Float>, to features: inout MutableSpan<Float>, scratch: inout Void) {
            for column in 0..<4 where input[column] > 0 { features[column] = input[column] }
        }
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

    @Test(arguments: [0, 1, 257])
    func everyExampleIsMapped(_ count: Int) {
        let dataset = Self.dataset(count)
        let mapped = dataset.mapped(by: Neighbors())
        for row in 0..<count {
            for column in 0..<3 {
                let (x, y) = (dataset.inputs[row, column], dataset.inputs[row, column + 1])
                #expect(mapped.inputs[row, 2 * column] == x + y && mapped.inputs[row, 2 * column + 1] == x - y)
            }
        }
        #expect(mapped.targets == dataset.targets)
        #expect(mapped.notCovered == ["Something."])
    }

    @Test func whatAMapDoesNotWriteIsZero() {
        let dataset = Self.dataset(50)
        let mapped = dataset.mapped(by: Positive()).inputs
        for row in 0..<50 {
            #expect((0..<4).allSatisfy { mapped[row, $0] == max(0, dataset.inputs[row, $0]) })
        }
    }

    @Test func whatDoesNotFitTraps() async {
        await #expect(processExitsWith: .failure) {
            let dataset = InMemoryDataset(
                inputs: Matrix(rows: 2, columns: 3), targets: .classes([0, 0], classCount: 1))
            _ = dataset.mapped(by: Neighbors())
        }
    }
}
