import PyTrees
import Testing

struct TreeLayoutTests {
    let layout = try! TreeLayout(parsing: Model.exampleText)

    @Test func rangesFollowEachOther() throws {
        let layout = try TreeLayout([("a", [2, 3]), ("b", []), ("c/d", [0, 5]), ("c/e", [4])])
        #expect(layout.leaves.map(\.range) == [0..<6, 6..<7, 7..<7, 7..<11])
        #expect(layout.count == 11)
        #expect(layout["b"]?.shape == [])
        #expect(layout.index(of: "c/e") == 3)
        #expect(layout.index(of: "c") == nil && layout["x"] == nil && layout[""] == nil)
    }

    @Test func subtreesAreContiguous() throws {
        let layout = try TreeLayout([("a/x", [2]), ("a/y/z", [3]), ("b", []), ("bb", [4])])
        #expect(layout.leaves(under: "a") == 0..<2)
        #expect(layout.columns(under: "a") == 0..<5)
        #expect(layout.columns(under: "a/y") == 2..<5)
        #expect(layout.columns(under: "a/y/z") == 2..<5)
        #expect(layout.columns(under: "b") == 5..<6)
        #expect(layout.leaves(under: .root) == 0..<4)
        #expect(layout.columns(under: .root) == 0..<10)
        #expect(layout.leaves(under: "a/z") == nil && layout.columns(under: "b/x") == nil)
    }

    @Test func emptySubtreesExistAndHoldNothing() throws {
        #expect(layout.leaves(under: "layers") == 2..<2)
        #expect(layout.columns(under: "extra") == 16..<16)
        #expect(layout.leaves(under: "other") == nil)
        let nested = try ["a": ["b": [Float]()], "c": [:]].treeLayout()
        #expect(nested.description == "a/b {}\nc {}")
        #expect(nested.leaves(under: "a") == 0..<0)
        #expect(try [Float]().treeLayout() == TreeLayout([]))
        #expect(try TreeLayout([]).columns(under: .root) == 0..<0)
    }

    @Test func rangesUnderPathsAgreeWithASearch() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<100 {
            let layout = try RandomTree.random(depth: 4, from: &generator).treeLayout()
            for leaf in layout.leaves {
                for depth in 0...leaf.path.keys.count {
                    let prefix = TreePath(Array(leaf.path.keys.prefix(depth)))
                    let indices = layout.leaves.indices.filter { prefix.isPrefix(of: layout.leaves[$0].path) }
                    #expect(layout.leaves(under: prefix).map(Array.init) == indices)
                    let columns = indices.flatMap { layout.leaves[$0].range }
                    #expect(layout.columns(under: prefix).map(Array.init) == columns)
                }
            }
        }
    }

    @Test func impossibleListsAreErrors() {
        #expect(throws: PyTreeError.duplicatePath("a")) { try TreeLayout([("a", []), ("a", [])]) }
        #expect(throws: PyTreeError.duplicatePath("a")) { try TreeLayout([("a", []), ("b", []), ("a", [])]) }
        #expect(throws: PyTreeError.duplicatePath("")) { try TreeLayout([("", []), ("", [])]) }
        #expect(throws: PyTreeError.leafWithChildren("a")) { try TreeLayout([("a", []), ("a/b", [])]) }
        #expect(throws: PyTreeError.leafWithChildren("a")) { try TreeLayout([("a/b", []), ("a", [])]) }
        #expect(throws: PyTreeError.leafWithChildren("a")) { try TreeLayout([("a/b", []), ("c", []), ("a", [])]) }
        #expect(throws: PyTreeError.leafWithChildren("a")) { try TreeLayout([("a", []), ("c", []), ("a/b", [])]) }
        #expect(throws: PyTreeError.leafWithChildren("")) { try TreeLayout([("", []), ("a", [])]) }
        #expect(throws: PyTreeError.leafWithChildren("")) { try TreeLayout([("a", []), ("", [])]) }
        #expect(throws: PyTreeError.scatteredSubtree("a")) { try TreeLayout([("a/b", []), ("c", []), ("a/d", [])]) }
        #expect(throws: PyTreeError.scatteredSubtree("r/a")) {
            try TreeLayout([("r/a/b/x", []), ("r/c", []), ("r/a/d/y", [])])
        }
        #expect(throws: PyTreeError.negativeDimension(path: "a", shape: [2, -1])) { try TreeLayout([("a", [2, -1])]) }
        #expect(throws: PyTreeError.negativeDimension(path: "a", shape: [0, -1])) { try TreeLayout([("a", [0, -1])]) }
        #expect(throws: PyTreeError.elementCountOverflow(path: "a", shape: [.max, 2])) {
            try TreeLayout([("a", [.max, 2])])
        }
        #expect(throws: PyTreeError.elementCountOverflow(path: "b", shape: [1])) {
            try TreeLayout([("a", [.max]), ("b", [1])])
        }
        // Control: neighbours of each of these are legal.
        #expect(throws: Never.self) {
            try TreeLayout([("a/b", []), ("a/d", []), ("c", [.max - 2]), ("d", [.max, 0])])
        }
        #expect(throws: Never.self) { try TreeLayout([("", [3])]) }
    }

    @Test func textComesBack() throws {
        #expect(layout.description == Model.exampleText)
        #expect(try TreeLayout(parsing: Model.exampleText + "\n") == layout)
        #expect(layout.leaves[0].description == "dense/kernel float32[3,4]")
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<200 {
            let layout = try RandomTree.random(depth: 4, from: &generator).treeLayout()
            let text = layout.description
            #expect(TreeLayout(text) == layout)
            #expect(try TreeLayout(parsing: text + "\n") == layout)
            #expect(try throughJSON(layout) == layout)
        }
    }

    @Test(arguments: [
        "a", "a float32", "a float32[", "a float32[1,]", "a float32[+1]", "a float32[01]", "a float64[1]",
        " float32[1]",
        "a//b float32[1]", "a float32[1] ", "a float32[1, 2]", "a float32[9223372036854775808]", "a float32[1]\r",
    ])
    func malformedLinesAreNamed(line: String) {
        #expect(throws: PyTreeError.malformedLine(number: 2, text: line)) {
            try TreeLayout(parsing: "x float32[]\n" + line)
        }
        #expect(TreeLayout("x float32[]\n" + line) == nil)
    }

    @Test func parsedTextIsCheckedAsListsAre() {
        #expect(throws: PyTreeError.duplicatePath("a")) { try TreeLayout(parsing: "a float32[]\na {}") }
        #expect(throws: PyTreeError.negativeDimension(path: "a", shape: [-1])) {
            try TreeLayout(parsing: "a float32[-1]")
        }
        #expect(throws: PyTreeError.malformedLine(number: 2, text: "")) {
            try TreeLayout(parsing: "a float32[]\n\nb float32[]")
        }
    }

    @Test func codingIsReadableAndChecked() throws {
        let text = #"[{"path": "a/b", "shape": [2, 3]}, {"path": "c"}]"#
        #expect(try fromJSON(TreeLayout.self, text).description == "a/b float32[2,3]\nc {}")
        for broken in [
            #"[{"path": "a", "shape": []}, {"path": "a", "shape": []}]"#, #"[{"path": "a", "shape": [-1]}]"#,
            #"[{"path": "a//b", "shape": []}]"#, #"[{"path": "a/b", "shape": []}, {"path": "a"}]"#,
        ] {
            #expect(throws: DecodingError.self) { try fromJSON(TreeLayout.self, broken) }
        }
    }

    @Test func equalityIsOfPathsShapesAndOrder() throws {
        let layout = try TreeLayout([("a", [2]), ("b", [2])])
        let copy = layout
        #expect(copy == layout)
        #expect(try TreeLayout([("a", [2]), ("b", [2])]) == layout)
        #expect(try Set([layout, copy, TreeLayout([("a", [2]), ("b", [2])])]).count == 1)
        #expect(try TreeLayout([("b", [2]), ("a", [2])]) != layout)
        #expect(try TreeLayout([("a", [2, 1]), ("b", [2])]) != layout)
        #expect(try TreeLayout(parsing: "a float32[2]\nb float32[2]\nc {}") != layout)
    }
}
