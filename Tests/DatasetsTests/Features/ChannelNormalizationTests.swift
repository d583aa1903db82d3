import Datasets
import Foundation
import LinearAlgebra
import Testing

@Suite struct ChannelNormalizationTests {
    private static let normalization = ChannelNormalization(means: [1, -2, 0.5], scales: [2, 0.25, 4])

    @Test(arguments: [1, 7, 2048]) func everyFeatureIsThatOfItsChannel(rows: Int) {
        var generator = SeededGenerator(seed: 5)
        let before = Matrix(
            rows: rows, columns: 129,
            elements: (0..<rows * 129).map { _ in Float.random(in: -1...1, using: &generator) })
        var after = before
        Self.normalization.normalize(&after)
        for row in 0..<rows {
            for column in 0..<129 {
                let (mean, scale) = (Self.normalization.means[column % 3], Self.normalization.scales[column % 3])
                #expect(after[row, column] == (before[row, column] - mean) * scale)
            }
        }
    }

    @Test func aDatasetIsNormalisedWhenItIsRead() throws {
        let base = InMemoryDataset(
            inputs: [[1, 2, 3], [4, 5, 6]], classes: [0, 1], classCount: 2, notCovered: ["A."])
        let data = NormalizedDataset(base, by: Self.normalization)
        #expect(data.count == 2 && data.featureCount == 3 && data.notCovered == ["A."])
        let examples = try data.examples(at: [1, 0, 1])
        #expect(examples.inputs == Matrix([[6, 1.75, 22], [0, 1, 10], [6, 1.75, 22]]))
        #expect(examples.targets == .classes([1, 0, 1], classCount: 2))
        #expect(base.inputs == Matrix([[1, 2, 3], [4, 5, 6]]))
    }

    @Test func filesAreChecked() throws {
        let data = try JSONEncoder().encode(Self.normalization)
        #expect(try JSONDecoder().decode(ChannelNormalization.self, from: data) == Self.normalization)
        for text in [
            #"{"means": [1], "scales": [1, 2]}"#, #"{"means": [], "scales": []}"#, #"{"means": [1]}"#,
            #"{"means": [1], "scales": [1], "scale": 2}"#,
        ] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(ChannelNormalization.self, from: Data(text.utf8))
            }
        }
    }

    @Test func otherShapesTrap() async {
        await #expect(processExitsWith: .failure) { _ = ChannelNormalization(means: [1], scales: [.infinity]) }
        await #expect(processExitsWith: .failure) {
            var features = Matrix(rows: 1, columns: 4)
            ChannelNormalization(means: [1, 2, 3], scales: [1, 2, 3]).normalize(&features)
        }
        await #expect(processExitsWith: .failure) {
            let base = InMemoryDataset(inputs: [[1, 2]], classes: [0], classCount: 2)
            _ = NormalizedDataset(base, by: ChannelNormalization(means: [1, 2, 3], scales: [1, 2, 3]))
        }
    }
}
