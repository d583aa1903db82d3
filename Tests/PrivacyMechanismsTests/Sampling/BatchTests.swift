import Testing

@testable import PrivacyMechanisms

/// **Guarantee:** no unit's rows are in two blocks.
@Suite struct BatchTests {
    private static let units = [[4, 9], [5], [6, 7, 8, 10, 11], [12, 13], [14], [15]]

    /// Whether each unit is in one block, with all of its rows, and every row is in one.
    private static func areWhole(_ blocks: [[Int]]) -> Bool {
        blocks.flatMap { $0 } == units.flatMap { $0 }
            && units.allSatisfy { unit in blocks.count { !Set($0).isDisjoint(with: unit) } == 1 }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 12, 100, nil] as [Int?])
    func blocksEndBetweenUnits(rows: Int?) {
        let batch = Batch(units: Self.units)
        let blocks = batch.blocks(ofAtMost: rows)
        #expect(Self.areWhole(blocks.map(\.examples)))
        for block in blocks {
            #expect(block.unitCount == 1 || block.count <= rows ?? batch.count)
            let parts = (0..<block.unitCount).map { unit in
                Array(block.units.map { block.examples[$0[unit]] } ?? [block.examples[unit]])
            }
            #expect(parts.allSatisfy(Self.units.contains))
        }
        // No two blocks that follow each other would fit into one.
        for (block, next) in zip(blocks, blocks.dropFirst()) {
            let first = next.units?[0].count ?? 1
            #expect(block.count + first > rows ?? 0)
        }
        // The broken twin: cut after so many rows.
        if let rows, rows < 12 {
            let examples = batch.examples
            let cut = stride(from: 0, to: examples.count, by: rows).map { Array(examples[$0...].prefix(rows)) }
            #expect(!Self.areWhole(cut))
        }
    }

    @Test(arguments: [1, 2, 5, 8, 12])
    func paddingIsUnitsOfItsOwn(multiple: Int) {
        for batch in [Batch(units: Self.units), Batch([3, 4, 7])] {
            let padded = batch.padded(toMultipleOf: multiple)
            #expect(padded.count % multiple == 0 && padded.count - batch.count < multiple)
            #expect(padded.examples.starts(with: batch.examples))
            let missing = padded.count - batch.count
            #expect(padded.unitCount == batch.unitCount + missing)
            #expect(padded.examples.dropFirst(batch.count).allSatisfy { $0 == -1 })
            let flags = Array(repeating: false, count: batch.unitCount) + Array(repeating: true, count: missing)
            #expect(padded.padding == (missing == 0 ? nil : flags))
        }
    }

    @Test func emptyBatchesStayEmpty() {
        for batch in [Batch([]), Batch(units: [])] {
            #expect(batch.blocks(ofAtMost: nil).isEmpty && batch.blocks(ofAtMost: 4).isEmpty)
            #expect(batch.padded(toMultipleOf: 8) == batch && batch.unitCount == 0 && batch.padding == nil)
        }
    }

    /// Units of one row each are examples: one batch has one form.
    @Test func unitsOfOneRowAreExamples() {
        #expect(Batch(units: [[3], [5]]) == Batch([3, 5]))
        #expect(Batch(units: Self.units).blocks(ofAtMost: 1).last == Batch([15]))
    }

    @Test func sizesBelowOneTrap() async {
        await #expect(processExitsWith: .failure) { _ = Batch([1]).blocks(ofAtMost: 0) }
        await #expect(processExitsWith: .failure) { _ = Batch([1]).padded(toMultipleOf: 0) }
        await #expect(processExitsWith: .success) {
            _ = Batch([1]).blocks(ofAtMost: 1)
            _ = Batch([1]).padded(toMultipleOf: 1)
        }
    }
}
