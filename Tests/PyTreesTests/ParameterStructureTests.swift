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
