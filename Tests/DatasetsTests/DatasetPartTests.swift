import Datasets
import LinearAlgebra
import Testing

struct DatasetPartTests {
    private static let data = InMemoryDataset(
        inputs: Matrix(rows: 7, columns: 1, elements: (0..<7).map(Float.init)),
        targets: .classes((0..<7).map { $0 % 2 }, classCount: 2))

    /// **Guarantee:** each example is in one part, in its order, and parts are as equal as can be.
    @Test(arguments: 1...9) func partsAreAllOfIt(count: Int) throws {
        let parts = (0..<count).map { DatasetPart(Self.data, $0, of: count) }
        #expect(parts.flatMap { Array($0.places) } == Array(0..<7))
        let sizes = parts.map(\.count)
        #expect(sizes.max()! - sizes.min()! <= 1)
        for part in parts where part.count > 0 {
            let examples = try part.examples(at: Array(0..<part.count))
            #expect((0..<part.count).map { examples.inputs[$0, 0] } == part.places.map(Float.init))
            #expect(examples.targets == .classes(part.places.map { $0 % 2 }, classCount: 2))
            #expect(try part.hasSameExamples(as: Self.data[part.places]))
        }
        #expect(parts.allSatisfy { $0.featureCount == 1 })
    }

    @Test func whatIsBeyondThePartTraps() async {
        await #expect(processExitsWith: .failure) { _ = DatasetPart(Self.data, 5..<8) }
        await #expect(processExitsWith: .failure) { _ = DatasetPart(Self.data, 2, of: 2) }
        // Place 3 of the whole, which the part does not have.
        await #expect(processExitsWith: .failure) { _ = try DatasetPart(Self.data, 1..<3).examples(at: [2]) }
    }
}
