import Foundation
import PyTrees
import Testing

struct PrefixTreeTests {
    let layout = try! Model.example.treeLayout()

    @Test func literalsOfEveryKind() {
        let flat: PrefixTree<Double> = ["dense": 1.5, "temperature": 0.1]
        #expect(flat == .children(["dense": .value(1.5), "temperature": .value(0.1)]))
        let nested: PrefixTree<Double> = ["dense": ["bias": 0.5, "kernel": 2], "temperature": -0.1]
        #expect(nested["dense/kernel"] == 2 && nested["temperature"] == -0.1)
        let (bare, integer, flag): (PrefixTree<Float>, PrefixTree<Int>, PrefixTree<Bool>) = (1, -3, ["a": true])
        #expect(bare == .value(1) && integer == .value(-3) && flag["a"] == true)
        let empty: PrefixTree<Double> = [:]
        #expect(empty == .children([:]))
    }

    @Test func subscriptGivesTheValueThatCovers() {
        let tree: PrefixTree<Double> = ["dense": ["bias": 0.5, "kernel": 2], "layers": 3]
        #expect(tree["layers/0/kernel"] == 3)
        #expect(tree["layers"] == 3)
        #expect(tree["dense"] == nil)
        #expect(tree["other"] == nil && tree[.root] == nil)
        #expect(PrefixTree.value(1)[.root] == 1)
    }

    @Test func groupsAreInLayoutOrder() throws {
        let tree: PrefixTree<Double> = [
            "temperature": 0.1, "extra": 4, "layers": 3, "dense": ["bias": 0.5, "kernel": 2],
        ]
        let groups = try tree.groups(in: layout)
        #expect(groups.map(\.path) == ["dense/kernel", "dense/bias", "layers", "extra", "temperature"])
        #expect(groups.map(\.value) == [2, 0.5, 3, 4, 0.1])
        #expect(groups.map(\.leaves) == [0..<1, 1..<2, 2..<2, 2..<2, 2..<3])
        #expect(groups.map(\.columns) == [0..<12, 12..<16, 16..<16, 16..<16, 16..<17])
    }

    @Test func aBareValueCoversEverything() throws {
        let groups = try PrefixTree.value(1.0).groups(in: layout)
        #expect(groups.map(\.path) == [.root])
        #expect(groups[0].leaves == 0..<3 && groups[0].columns == 0..<17)
        #expect(try PrefixTree.value(1.0).groups(in: Float(1).treeLayout())[0].columns == 0..<1)
    }

    @Test func emptySubtreesNeedNoValue() throws {
        #expect(try (["dense": 1, "temperature": 2] as PrefixTree<Int>).groups(in: layout).map(\.value) == [1, 2])
        let open: PrefixTree<Int> = ["dense": 1, "layers": [:], "temperature": 2]
        #expect(try open.groups(in: layout).map(\.value) == [1, 2])
        #expect(try PrefixTree<Int>.children([:]).groups(in: TreeLayout([])).isEmpty)
    }

    @Test func misfitsNameThePath() {
        let cases: [(PrefixTree<Int>, PyTreeError)] = [
            (["dense": 1], .uncoveredLeaf("temperature")),
            (["temperature": 1], .uncoveredLeaf("dense/kernel")),
            (["dense": ["kernel": 1], "temperature": 1], .uncoveredLeaf("dense/bias")),
            (["dense": ["bias": 1], "layers": 1, "temperature": 1], .uncoveredLeaf("dense/kernel")),
            ([:], .uncoveredLeaf("dense/kernel")),
            (["dense": [:], "temperature": 1], .uncoveredLeaf("dense/kernel")),
            (["dense": 1, "temperature": 1, "x": 1], .prefixWithoutSubtree("x")),
            (["dense": ["x": 1], "temperature": 1], .prefixWithoutSubtree("dense/x")),
            (["dense/kernel": 1, "dense/bias": 1], .prefixWithoutSubtree(TreePath(["dense/bias"]))),
            (["dense": 1, "layers": ["0": 1], "temperature": 1], .prefixWithoutSubtree("layers/0")),
            (["dense": ["kernel": ["x": 1], "bias": 1]], .prefixBelowLeaf("dense/kernel")),
            (["dense": 1, "temperature": [:]], .prefixBelowLeaf("temperature")),
        ]
        for (tree, error) in cases {
            #expect(throws: error) { try tree.groups(in: layout) }
        }
        #expect(throws: Never.self) { try (["dense": 1, "temperature": 1] as PrefixTree<Int>).groups(in: layout) }
    }

    @Test func randomPrefixesCoverEveryLeafOnce() throws {
        func randomPrefix(of tree: RandomTree, _ generator: inout SeededGenerator) -> PrefixTree<Int> {
            let isLeaf = Int.random(in: 0...2, using: &generator) == 0
            switch tree {
            case .list(let list) where !isLeaf:
                let pairs = list.enumerated().map { ("\($0)", randomPrefix(of: $1, &generator)) }
                return .children(Dictionary(uniqueKeysWithValues: pairs))
            case .named(let named) where !isLeaf:
                return .children(named.mapValues { randomPrefix(of: $0, &generator) })
            default:
                return .value(Int.random(in: 0...100, using: &generator))
            }
        }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            let tree = RandomTree.random(depth: 4, from: &generator)
            let layout = try tree.treeLayout()
            let prefix = randomPrefix(of: tree, &generator)
            let groups = try prefix.groups(in: layout)
            #expect(groups.flatMap(\.leaves) == Array(layout.leaves.indices))
            #expect(groups.flatMap(\.columns) == Array(0..<layout.count))
            for group in groups {
                #expect(prefix[group.path] == group.value)
                for leaf in group.leaves { #expect(prefix[layout.leaves[leaf].path] == group.value) }
            }
            let rebuilt = try PrefixTree(structureOf: prefix, values: groups.map(\.value), in: layout)
            #expect(rebuilt == prefix)
        }
    }

    @Test func newValuesComeBackInTheOldStructure() throws {
        let tree: PrefixTree<Double> = ["temperature": 0.1, "dense": ["bias": 0.5, "kernel": 2], "layers": [:]]
        let renamed = try PrefixTree(structureOf: tree, values: ["k", "b", "t"], in: layout)
        #expect(renamed["dense/kernel"] == "k" && renamed["dense/bias"] == "b" && renamed["temperature"] == "t")
        #expect(renamed["layers"] == nil && renamed.map { _ in 0 } == tree.map { _ in 0 })
        #expect(throws: PyTreeError.groupCountMismatch(count: 2, expected: 3)) {
            try PrefixTree(structureOf: tree, values: ["k", "b"], in: layout)
        }
    }

    @Test func mapKeepsTheStructureAndPassesErrorsOn() {
        let tree: PrefixTree<Int> = ["a": 1, "b": ["c": 2]]
        #expect(tree.map { $0 * 10 } == ["a": 10, "b": ["c": 20]])
        #expect(throws: PyTreeError.unknownLeaf("2")) {
            try tree.map { (value) throws(PyTreeError) in
                if value == 2 { throw .unknownLeaf("2") }
            }
        }
    }

    @Test func jsonHasTheSameShape() throws {
        let tree: PrefixTree<Double> = ["dense": ["bias": 0.5, "kernel": 2], "temperature": 0.25]
        let text = #"{"dense": {"bias": 0.5, "kernel": 2}, "temperature": 0.25}"#
        #expect(try fromJSON(PrefixTree<Double>.self, text) == tree)
        #expect(try throughJSON(tree) == tree)
        #expect(try fromJSON(PrefixTree<Double>.self, "1.5") == .value(1.5))
        #expect(try throughJSON(PrefixTree.value(true)) == .value(true))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            String(decoding: try encoder.encode(tree), as: UTF8.self)
                == #"{"dense":{"bias":0.5,"kernel":2},"temperature":0.25}"#)
        #expect(throws: DecodingError.self) { try fromJSON(PrefixTree<Double>.self, #"{"a": "x"}"#) }
        #expect(throws: DecodingError.self) { try fromJSON(PrefixTree<Double>.self, "[1]") }
    }

    @Test func repeatedKeysInALiteralTrap() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let tree: PrefixTree<Double> = ["a": 1, "a": 2]
            print(tree)
        }
        #if DEBUG
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains("The key \"a\" occurs twice in a prefix tree"))
        #endif
    }
}
