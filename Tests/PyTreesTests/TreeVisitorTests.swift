import PyTrees
import Testing

/// Visits the given keys, each with a scalar or an empty array.
private struct Keys: PyTree {
    var keys: [String]
    var isEmpty = false

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        for key in keys {
            var (scalar, empty) = (Float(1), [Float]())
            if isEmpty {
                try visitor.visit(key, &empty)
            } else {
                try visitor.visit(key, &scalar)
            }
        }
    }
}

/// A leaf type of a user's own, in another precision.
private struct DoubleLeaf: PyTree, Equatable {
    var values: [Double]
    var shape: [Int]

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        var floats = values.map(Float.init)
        try visitor.visitLeaf(shape: shape, values: &floats)
        if visitor.isWriting { values = floats.map(Double.init) }
    }
}

/// A leaf that also has a child, which no tree may have.
private struct LeafWithChild: PyTree {
    var value: Float = 1

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visitLeaf(&value)
        try visitor.visit("child", &value)
    }
}

/// Breaks the rule that every traversal visits the same leaves.
private struct Fickle: PyTree {
    var values: [Float] = [1, 2]

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("0", &values[0])
        if !visitor.isWriting { try visitor.visit("1", &values[1]) }
    }
}

struct TreeVisitorTests {
    @Test(arguments: [["a", "a"], ["a", "b", "a"], ["x", "é", "e\u{301}"]])
    func repeatedKeysAreErrors(keys: [String]) {
        for isEmpty in [false, true] {
            let tree = ["root": Keys(keys: keys, isEmpty: isEmpty)]
            #expect(throws: PyTreeError.duplicatePath(TreePath(["root", keys.last!]))) { try tree.treeLayout() }
            #expect(throws: PyTreeError.duplicatePath(TreePath(["root", keys.last!]))) { try tree.flattened() }
        }
    }

    @Test func aRepeatedSubtreeIsAnErrorThoughItsLeavesDiffer() {
        struct Twice: PyTree {
            var key: String
            var between: [Float]?

            mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
                var (first, second) = (["x": Float(1)], ["y": Float(2)])
                try visitor.visit("a", &first)
                // Not even an empty subtree lies between the two if there is nothing to visit.
                if between != nil { try visitor.visit("between", &between) }
                try visitor.visit(key, &second)
            }
        }
        for between in [nil, [], [Float(1)]] {
            #expect(throws: PyTreeError.duplicatePath("a")) { try Twice(key: "a", between: between).treeLayout() }
            #expect(throws: Never.self) { try Twice(key: "b", between: between).treeLayout() }
        }
    }

    @Test func theSameKeyOnDifferentLevelsIsFine() throws {
        let tree = ["a": ["a": ["a": Float(1)]], "b": ["a": ["a": 2]]]
        #expect(try tree.flattened().values == [1, 2])
        #expect(try Keys(keys: ["a", "b"]).treeLayout().leaves.count == 2)
    }

    @Test func leafTypesOfOnesOwn() throws {
        let tree = [DoubleLeaf(values: [1, 2, 3, 4], shape: [2, 2]), DoubleLeaf(values: [], shape: [0])]
        var vector = try tree.flattened()
        #expect(vector.layout.description == "0 float32[2,2]\n1 float32[0]")
        vector.withUnsafeMutableValues { $0[3] = 5 }
        #expect(try tree.unflattened(from: vector)[0].values == [1, 2, 3, 5])
        let broken = ["leaf": DoubleLeaf(values: [1, 2, 3], shape: [2, 2])]
        #expect(throws: PyTreeError.elementCountMismatch(path: "leaf", shape: [2, 2], count: 3)) {
            try broken.treeLayout()
        }
        #expect(throws: PyTreeError.elementCountMismatch(path: "leaf", shape: [2, 2], count: 3)) {
            try broken.unflattened(from: ParameterVector(zeros: TreeLayout([("leaf", [2, 2])])))
        }
        #expect(throws: PyTreeError.negativeDimension(path: "", shape: [-1, -3])) {
            try DoubleLeaf(values: [1, 2, 3], shape: [-1, -3]).treeLayout()
        }
    }

    @Test func aLeafHasNoChildren() {
        #expect(throws: PyTreeError.leafWithChildren("a")) { try ["a": LeafWithChild()].treeLayout() }
    }

    @Test func anUnsteadyTraversalTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var tree = Fickle()
            try tree.unflatten(from: ParameterVector(values: [3, 4], layout: tree.treeLayout()))
        }
        #if DEBUG
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains("Fickle.visitChildren visited other leaves when writing than when reading"))
        #endif
    }
}
