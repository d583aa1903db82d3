import PyTrees
import Testing

struct PyTreeTests {
    @Test func aModelFlattensInTheOrderOfItsVisits() throws {
        let vector = try Model.example.flattened()
        let counting = (0...16).map { (place: Int) in Float(place) }
        #expect(vector.values == counting)
        #expect(vector.layout.description == Model.exampleText)
        #expect(try Model.example.treeLayout() == vector.layout)
        // Control: another order of the same values is another vector.
        #expect(vector.values != counting.reversed())
    }

    @Test func randomTreesComeBackBitForBit() throws {
        var generator = SeededGenerator(seed: 1)
        var (leafCount, fragileCount, emptyCount) = (0, 0, 0)
        for _ in 0..<300 {
            let tree = RandomTree.random(depth: 4, from: &generator)
            let expected = tree.lines()
            var vector = try tree.flattened()
            #expect(vector.values.bits == expected.flatMap(\.bits))
            #expect(vector.layout.leaves.map(\.path) == expected.map(\.path))
            #expect(vector.layout.leaves.map(\.shape) == expected.map(\.shape))
            let erased = tree.erased()
            let back = try erased.unflattened(from: vector)
            #expect(back.lines().map(\.bits) == expected.map(\.bits))
            var inPlace = erased
            try inPlace.unflatten(from: vector)
            #expect(inPlace.lines().map(\.bits) == expected.map(\.bits))
            try erased.flatten(into: &vector)
            #expect(vector.values.bits == erased.lines().flatMap(\.bits))
            leafCount += expected.count
            fragileCount += expected.flatMap(\.bits).count { Float(bitPattern: $0).isNaN }
            emptyCount += expected.count { $0.bits.isEmpty }
        }
        // Control: the trees do hold what makes the round trip hard.
        #expect(leafCount > 1000 && fragileCount > 100 && emptyCount > 100)
    }

    @Test func bitComparisonSeesAChangedPayload() {
        #expect([Float(nan: 1, signaling: false)].bits != [Float(nan: 2, signaling: false)].bits)
        #expect([Float(-0.0)].bits != [Float(0)].bits)
    }

    @Test func dictionariesAreVisitedInKeyOrderWhateverTheirHistory() throws {
        let keys = ["b", "a", "B", "10", "9", "é", "z"]
        for rotation in keys.indices {
            var tree: [String: Float] = [:]
            for key in keys[rotation...] + keys[..<rotation] { tree[key] = 1 }
            #expect(try tree.treeLayout().leaves.map(\.path.keys) == ["10", "9", "B", "a", "b", "z", "é"].map { [$0] })
        }
    }

    @Test func arraysOfScalarsHaveOneLeafForEachElementAndKeepTheirOrder() throws {
        let array = (0..<12).map(Float.init)
        let vector = try array.flattened()
        #expect(vector.values == array)
        #expect(vector.layout.leaves[11].path == "11")
        #expect(try Tensor(array).flattened().layout.leaves.count == 1)
    }

    @Test func nilHasNoLeavesAndSomeHasNoKeyOfItsOwn() throws {
        #expect(try Float?.none.flattened().layout.leaves.isEmpty)
        #expect(try Float?.some(3).flattened().layout.description == "float32[]")
        var model = Model.example
        model.extra = model.dense
        #expect(try model.treeLayout()["extra/bias"]?.shape == [4])
    }

    @Test func bothShapesAreNamedAndNothingIsChanged() throws {
        let vector = try Model.example.flattened()
        var other = Model.example
        other.dense.kernel = Tensor(zeros: [3, 4])
        other.dense.bias = Tensor(zeros: [5])
        let before = other
        let error = #expect(throws: PyTreeError.shapeMismatch(path: "dense/bias", shape: [5], expected: [4])) {
            try other.unflatten(from: vector)
        }
        let message = error?.description ?? ""
        #expect(message.contains("dense/bias") && message.contains("[5]") && message.contains("[4]"))
        #expect(other == before)
        var target = vector
        #expect(throws: PyTreeError.self) { try other.flatten(into: &target) }
        #expect(target == vector)
        // Control: the right shape is accepted, and then there is something to see.
        other.dense.bias = Tensor(zeros: [4])
        try other.unflatten(from: vector)
        #expect(other == Model.example)
    }

    @Test func theSameCountInAnotherShapeIsAMismatch() throws {
        let vector = ParameterVector(zeros: try TreeLayout([("a", [2, 3])]))
        #expect(throws: PyTreeError.shapeMismatch(path: "a", shape: [3, 2], expected: [2, 3])) {
            try ["a": Tensor(zeros: [3, 2])].unflattened(from: vector)
        }
        #expect(throws: Never.self) { try ["a": Tensor(zeros: [2, 3])].unflattened(from: vector) }
    }

    @Test func missingAndUnexpectedLeavesAreNamed() throws {
        let vector = try ["a": Float(1), "b": 2].flattened()
        #expect(throws: PyTreeError.missingLeaf("b", shape: [], found: nil)) {
            try ["a": Float(1)].unflattened(from: vector)
        }
        #expect(throws: PyTreeError.missingLeaf("a", shape: [], found: "b")) {
            try ["b": Float(1)].unflattened(from: vector)
        }
        #expect(throws: PyTreeError.unexpectedLeaf("c", shape: [])) {
            try ["a": Float(1), "b": 1, "c": 1].unflattened(from: vector)
        }
        #expect(throws: PyTreeError.unexpectedLeaf("aa", shape: [])) {
            try ["a": Float(1), "aa": 1, "b": 1].unflattened(from: vector)
        }
        #expect(try ["a": Float(0), "b": 0].unflattened(from: vector) == ["a": 1, "b": 2])
    }

    @Test func writingStaysInTheArraysThatATreeOwns() throws {
        var tree = ["a": Tensor(zeros: [64]), "b": Tensor(zeros: [64])]
        let vector = ParameterVector(repeating: 2, layout: try tree.treeLayout())
        func addresses(_ tree: [String: Tensor]) -> [UnsafePointer<Float>?] {
            ["a", "b"].map { tree[$0]!.values.withUnsafeBufferPointer(\.baseAddress) }
        }
        let before = addresses(tree)
        try tree.unflatten(from: vector)
        #expect(addresses(tree) == before)
        #expect(tree["b"]!.values == [Float](repeating: 2, count: 64))
        // Reading must not give the source new arrays either.
        _ = try tree.flattened()
        #expect(addresses(tree) == before)
        // Control: a tree whose arrays are shared has to move, and the copy keeps its values.
        let copy = tree
        try tree.unflatten(from: ParameterVector(repeating: 3, layout: vector.layout))
        #expect(addresses(tree) != before)
        #expect(addresses(copy) == before && copy["a"]!.values[0] == 2)
    }

    @Test func flatteningIntoAVectorStaysInItsStorage() throws {
        var vector = ParameterVector(zeros: try Model.example.treeLayout())
        let before = vector.withUnsafeValues(\.baseAddress)
        try Model.example.flatten(into: &vector)
        #expect(vector.withUnsafeValues(\.baseAddress) == before)
        #expect(vector == (try Model.example.flattened()))
    }

    @Test func aHundredThousandLeavesAreNotQuadratic() throws {
        let tree = (0..<50_000).map { [Float($0), Float(-$0)] }
        let vector = try tree.flattened()
        #expect(vector.layout.leaves.count == 100_000)
        #expect(try tree.unflattened(from: vector) == tree)
    }
}
