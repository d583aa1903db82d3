import PyTrees
import Testing
import _TestSupport

@testable import PrivacyAuditing

@Suite struct PlacedDirectionsTests {
    private let layout: TreeLayout

    init() throws { layout = try TreeLayout([("a", [3]), ("b", [20, 2]), ("c", [50])]) }

    @Test(arguments: CanaryDirections.allCases)
    func directionsAreOrthogonalAndOfNormOne(kind: CanaryDirections) throws {
        var random = SeededGenerator(seed: 1)
        let placed = try PlacedDirections(kind, count: 30, layout: layout, using: &random)
        #expect(placed.directions.count == 30)
        var seen = Set<Int>()
        for direction in placed.directions {
            #expect(direction.columns.allSatisfy { seen.insert($0).inserted && (0..<layout.count).contains($0) })
            // As many roundings as columns.
            #expect(abs(direction.values.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
        }
        #expect(kind == .coordinates ? seen.count == 30 : seen.count == layout.count)
    }

    /// Leaves that are full leave their turns to the others.
    @Test func everyLeafHasItsShare() throws {
        var random = SeededGenerator(seed: 2)
        let placed = try PlacedDirections(.coordinates, count: 43, layout: layout, using: &random)
        let counts = layout.leaves.map { leaf in
            placed.directions.count { leaf.range.contains($0.columns[0]) }
        }
        #expect(counts == [3, 20, 20])
    }

    @Test(arguments: [0, 94])
    func tooManyOrNoneAreRefused(count: Int) {
        var random = SeededGenerator(seed: 3)
        #expect(
            throws: AuditingError.outOfRange(
                name: "the number of canaries", value: "\(count)",
                allowed: "from 1 to as many as there are parameters, 93")
        ) { try PlacedDirections(.coordinates, count: count, layout: layout, using: &random) }
    }
}
