import PrivacyMechanisms
import PrivateTraining
import Testing

@testable import dp

/// What each rank holds of the training data under `--shards`.
struct ShardedDataTests {
    /// What each of two ranks has, or its error; `order` turns the data of rank 1 around.
    private static func parts(
        _ shards: DataConfiguration.Shards, turned: Bool = false, schemas: [CSVSchema?] = [nil, nil]
    ) -> [(count: Int, total: Int, firstPixels: [Float], error: String)] {
        let data = Digits.split.train.prefix(101)
        return LocalRanks.run(2) { ranks in
            var own = data
            if turned, ranks.rank == 1 {
                let examples = data.examples(at: Array((0..<data.count).reversed()))
                own = InMemoryDataset(inputs: examples.inputs, targets: examples.targets)
            }
            var loaded = LoadedData(training: own, test: nil, encoding: DataEncoding(schema: schemas[ranks.rank]))
            do {
                try loaded.takePart(shards, of: ranks)
                let examples = try loaded.training.examples(at: [0])
                #expect(try loaded.firstTargets == data.examples(at: [0]).targets || turned)
                return (
                    loaded.training.count, loaded.exampleCount, (0..<64).map { examples.inputs[0, $0] }, ""
                )
            } catch { return (0, 0, [], "\(error)") }
        }
    }

    private static func pixels(_ index: Int) -> [Float] {
        let examples = Digits.split.train.examples(at: [index])
        return (0..<64).map { examples.inputs[0, $0] }
    }

    @Test func rowsAreCutByTheirPlaces() {
        let parts = Self.parts(.rows)
        #expect(parts.map(\.count) == [51, 50])
        #expect(parts.allSatisfy { $0.total == 101 && $0.error == "" })
        #expect(parts.map(\.firstPixels) == [Self.pixels(0), Self.pixels(51)])
    }

    @Test func filesAreWholeParts() {
        let parts = Self.parts(.files, turned: true)
        #expect(parts.map(\.count) == [101, 101])
        #expect(parts.allSatisfy { $0.total == 202 })
        #expect(parts.map(\.firstPixels) == [Self.pixels(0), Self.pixels(100)])
    }

    /// An example of another place would be in two parts, or in none.
    @Test func rowsOfOtherFilesAreRefused() {
        for part in Self.parts(.rows, turned: true) {
            #expect(part.error.contains("Rank 1 has the data (by their digest)"))
        }
    }

    /// Bounds that were taken from each rank's own file would scale the same number in two ways.
    @Test func filesThatBecameOtherInputsAreRefused() {
        let schemas = [10.0, 20].map { upper in
            CSVSchema(columns: [.init("age", .numeric(.init(lower: 0, upper: upper)))])
        }
        for part in Self.parts(.files, turned: true, schemas: schemas) {
            #expect(part.error.contains("Rank 1 has the schema"))
        }
    }
}
