import Datasets
import LinearAlgebra
import Testing

@Suite struct MappedDatasetTests {
    private struct Halves: FeatureMap {
        var inputCount: Int { 4 }
        var featureCount: Int { 2 }

        func writeFeatures(of input: Span<Float>, to features: inout MutableSpan<Float>, scratch: inout Void) {
            for index in 0..<2 { features[index] = input[2 * index] / input[2 * index + 1] }
        }
    }

    private let base = InMemoryDataset(
        inputs: Matrix(rows: 3, columns: 4, elements: (1...12).map { Float($0) }),
        targets: .classes([0, 1, 0], classCount: 2), lengths: [1, 2, 3], notCovered: ["Something."])

    /// What is mapped when it is read has the bits of what was mapped at once.
    @Test func givesTheSameAsMappingAtOnce() throws {
        let mapped = MappedDataset(base, map: Halves())
        let atOnce = base.mapped(by: Halves())
        #expect(mapped.count == 3 && mapped.featureCount == 2 && mapped.notCovered == ["Something."])
        let (read, expected) = (try mapped.examples(at: [2, 0, 2]), atOnce.examples(at: [2, 0, 2]))
        #expect(read.inputs == expected.inputs && read.targets == expected.targets)
        #expect(read.lengths == [3, 1, 3] && expected.lengths == [3, 1, 3])
        #expect(try mapped.examples(at: []).count == 0)
    }

    @Test func inputsMustFit() async {
        await #expect(processExitsWith: .failure) {
            let narrow = InMemoryDataset(inputs: [[1, 2]], targets: [1])
            _ = MappedDataset(narrow, map: Halves())
        }
    }
}
