import Testing

@testable import PyTrees

/// What a model's function is given stands for the leaves, wherever in the tree they are.
struct StandInTests {
    struct Model: PyTree {
        var list: [Tensor]
        var table: [String: [Tensor]]
        var maybe: Tensor?

        mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
            try visitor.visit("list", &list)
            try visitor.visit("table", &table)
            try visitor.visit("maybe", &maybe)
        }
    }

    @Test func everyTensorStandsForItsLeaf() {
        let tensors = (1...5).map { Tensor(zeros: [$0]) }
        let model = Model(
            list: [tensors[0], tensors[1]], table: ["a": [tensors[2]], "b": [tensors[3]]], maybe: tensors[4])
        let found = model.standIn(for: model.requiredLayout)
        #expect(found.list.map(\.leafIndex) == [0, 1])
        #expect(found.table["a"]?.map(\.leafIndex) == [2] && found.table["b"]?.map(\.leafIndex) == [3])
        #expect(found.maybe?.leafIndex == 4 && found.maybe?.shape == [5])
        #expect(model.list.allSatisfy { $0.leafIndex == nil })
    }
}
