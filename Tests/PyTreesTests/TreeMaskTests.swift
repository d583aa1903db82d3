import PyTrees
import Testing

struct TreeMaskTests {
    let layout = try! TreeLayout([("a/x", [2]), ("a/y", [0]), ("b", [3]), ("c/x", []), ("c/y", [4])])

    @Test func prefixesSelectLeaves() throws {
        let mask = try TreeMask(["a": true, "b": false, "c": ["x": true, "y": false]], layout: layout)
        #expect(mask.selection == [true, true, false, true, false])
        #expect(mask.selectedColumns == [0..<2, 5..<6])
        #expect(mask.selectedCount == 3)
        #expect(mask["a/x"] == true && mask["b"] == false && mask["a"] == nil)
        #expect(throws: PyTreeError.uncoveredLeaf("c/x")) { try TreeMask(["a": true, "b": false], layout: layout) }
    }

    @Test func predicatesSelectLeaves() throws {
        let mask = TreeMask(layout: layout) { $0.path.keys.last == "x" }
        #expect(mask.selection == [true, false, false, true, false])
        #expect(throws: PyTreeError.unknownLeaf("b")) {
            try TreeMask(layout: layout) { (leaf) throws(PyTreeError) in
                if leaf.path == "b" { throw .unknownLeaf(leaf.path) }
                return true
            }
        }
    }

    @Test func adjacentColumnsAreMergedAcrossEmptyLeaves() throws {
        #expect(try TreeMask(true, layout: layout).selectedColumns == [0..<10])
        #expect(try TreeMask(false, layout: layout).selectedColumns.isEmpty)
        #expect(TreeMask(layout: layout) { $0.path != "a/y" }.selectedColumns == [0..<10])
        #expect(TreeMask(layout: layout) { $0.path == "a/y" }.selectedColumns.isEmpty)
        #expect(TreeMask(layout: layout) { $0.path != "b" }.selectedColumns == [0..<2, 5..<10])
    }

    @Test func aMaskAndItsComplementSplitTheColumns() throws {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<200 {
            let layout = try RandomTree.random(depth: 3, from: &generator).treeLayout()
            let mask = TreeMask(layout: layout) { _ in Bool.random(using: &generator) }
            let complement = mask.complement
            #expect(
                Set(mask.selectedColumns.joined()).isDisjoint(with: complement.selectedColumns.joined()))
            #expect((mask.selectedColumns + complement.selectedColumns).joined().sorted() == Array(0..<layout.count))
            #expect(mask.selectedCount + complement.selectedCount == layout.count)
            #expect(complement.complement == mask)
            #expect(layout.leaves.isEmpty || complement != mask)
            #expect(try throughJSON(mask) == mask)
        }
    }

    @Test func codingChecksTheNumberOfEntries() throws {
        let text = #"{"layout": [{"path": "a", "shape": [2]}], "selection": [ENTRIES]}"#
        let good = text.replacing("ENTRIES", with: "true")
        #expect(try fromJSON(TreeMask.self, good).selectedColumns == [0..<2])
        #expect(throws: DecodingError.self) {
            try fromJSON(TreeMask.self, text.replacing("ENTRIES", with: "true, false"))
        }
    }

    @Test func selectedValuesGoOutAndBackIn() throws {
        let layout = try TreeLayout([("a", [2]), ("b/x", [1]), ("b/y", [3]), ("c", [])])
        let vector = try ParameterVector(values: [1, 2, 3, 4, 5, 6, 7], layout: layout)
        let mask = TreeMask(layout: layout) { ["a", "b/y"].contains($0.path) }
        #expect(mask.selectedLayout.description == "a float32[2]\nb/y float32[3]")
        #expect(mask.selected(from: vector).values == [1, 2, 4, 5, 6])
        var other = ParameterVector(repeating: 9, layout: layout)
        mask.write(mask.selected(from: vector), to: &other)
        #expect(other.values == [1, 2, 9, 4, 5, 6, 9])
        mask.complement.write(mask.complement.selected(from: vector), to: &other)
        #expect(other == vector)
    }
}
