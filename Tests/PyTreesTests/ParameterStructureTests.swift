import Testing

@testable import PyTrees

/// What runs and trainers know of parameters, for a struct and for a flat vector.
@Suite struct ParameterStructureTests {
    private func address(_ values: [Float]) -> UnsafeRawPointer? {
        values.withUnsafeBufferPointer { $0.baseAddress.map { UnsafeRawPointer($0) } }
    }

    @Test func aStructIsOverwrittenInPlace() throws {
        var model = NestedModel()
        let before = try model.flattened()
        var template = model.template
        model = NestedModel(seed: 2)
        let other = try model.flattened()
        #expect(other.layout == before.layout && other != before)
        let place = address(template.blocks[0].kernel.values)
        template.withValues(of: other) { current in
            #expect(current == model)
            #expect(address(current.blocks[0].kernel.values) == place)
        }
        #expect(template == model)
    }

    @Test func aVectorIsNotCopied() throws {
        let vector = try NestedModel().flattened()
        var template = vector.template
        #expect(template.count == 0)
        template.withValues(of: vector) { #expect(address($0.values) == address(vector.values)) }
        #expect(vector.template.holding(vector) == vector)
    }

    @Test func aCopyThatHoldsOtherValuesLeavesTheStructAsItIs() throws {
        let model = NestedModel()
        let vector = try NestedModel(seed: 3).flattened()
        #expect(try model.holding(vector).flattened() == vector)
        #expect(model == NestedModel())
        let row = try NestedModel(seed: 4).flattened()
        let held = row.withUnsafeValues { model.holding($0, as: row.layout) }
        #expect(held == NestedModel(seed: 4))
        var copied = [Float](repeating: 0, count: row.count)
        copied.withUnsafeMutableBufferPointer { held.copyLeaves(to: $0, as: row.layout) }
        #expect(copied == row.values)
    }

    /// **Guarantee** of what examples write to: copies have leaves of their own. The broken twins are a class, and a
    /// struct with a class in it.
    @Test func leavesThatAreSharedWithCopiesTrap() async throws {
        let zero = NestedModel(seed: 5).zeroed()
        #expect(zero.blocks[0].kernel.values.allSatisfy { $0 == 0 } && zero.offset == 0)
        #expect(try zero.treeLayout() == NestedModel().treeLayout())
        let shared = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = SharedLeaves().zeroed()
        }
        let nested = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = HolderOfSharedLeaves().zeroed()
        }
        for result in [shared, nested] {
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("shares its leaves with its copies"), "\(text)")
        }
    }

    @Test func otherLeavesTrapWithBothShapes() async {
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            var model = NestedModel()
            model.overwriteLeaves(with: try NestedModel(width: 4).flattened())
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("blocks/0/kernel") && text.contains("[2, 3]") && text.contains("[2, 4]"))
    }
}

/// Zeros, to begin with: writing zeros to a copy would not tell that it is none.
private final class SharedLeaves: PyTree, @unchecked Sendable {
    private var weights = Tensor(zeros: [3])

    func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("weights", &weights)
    }
}

private struct HolderOfSharedLeaves: PyTree, Sendable {
    private var own = Tensor([1, 2])
    private var shared = SharedLeaves()

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("own", &own)
        try visitor.visit("shared", &shared)
    }
}
