import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing

/// Gradients, transforms and clip norms that are structs.
@Suite struct PyTreeDoorTests {
    private func gradients(_ count: Int) -> [NestedModel] { (0..<count).map { NestedModel(seed: UInt64($0 + 1)) } }

    private func sum<Transform: PreClippingTransform>(
        _ rule: ClippingRule, _ transform: Transform, _ gradients: [NestedModel]
    ) throws -> NestedModel {
        var aggregate = try ClippedAggregate(rule, transform: transform, noiseMultiplier: 0)
        aggregate.add(try DenseRows(gradients, like: NestedModel()))
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 1)
        return try aggregate.privatized(noise: &noise).tree(like: NestedModel())
    }

    @Test func rowsHoldTheLeaves() throws {
        let gradients = gradients(3)
        let rows = try DenseRows(gradients, like: NestedModel(), nonPrivateLosses: [1, 2, 3])
        #expect(rows.exampleCount == 3 && rows.nonPrivateLosses == [1, 2, 3])
        for (example, gradient) in gradients.enumerated() {
            var row = [Float](repeating: 0, count: rows.layout.count)
            var span = row.mutableSpan
            rows.copyGradient(of: example, into: &span)
            #expect(try row == gradient.flattened().values)
        }
        #expect(try DenseRows([], like: NestedModel()).exampleCount == 0)
        #expect(throws: PrivacyMechanismError.lossCountMismatch(losses: 1, exampleCount: 3)) {
            try DenseRows(gradients, like: NestedModel(), nonPrivateLosses: [1])
        }
    }

    /// **Guarantee** of rows that a closure fills: what it leaves beside the leaves reaches no other example. The
    /// broken twin hands one struct on from example to example, its leaves zeroed.
    @Test func nothingOfOneExampleReachesAnother() throws {
        let zero = NestedModel().zeroed()
        let layout = try zero.treeLayout()
        @Sendable func fill(_ example: Int, _ gradient: inout NestedModel) {
            gradient.offset += Float(example + 100 * gradient.note)
            gradient.note += 1
        }
        var rows = Matrix(rows: 9, columns: layout.count)
        rows.fillRows(zero: zero, layout: layout, fill)
        let offset = try #require(layout["offset"]).range.lowerBound
        let counting = (0..<9).map { (example: Int) in Float(example) }
        #expect((0..<9).map { rows[$0, offset] } == counting)
        #expect((0..<9).allSatisfy { rows.row($0).filter { $0 != 0 }.count == ($0 == 0 ? 0 : 1) })
        var (handedOn, twin) = (zero, [Float]())
        for example in 0..<9 {
            try handedOn.unflatten(from: ParameterVector(zeros: layout))
            fill(example, &handedOn)
            twin.append(handedOn.offset)
        }
        #expect(twin != counting)
    }

    @Test func aScaleIsATreeLikeTheParameters() throws {
        var scale = NestedModel()
        try scale.unflatten(from: ParameterVector(repeating: 2, layout: scale.treeLayout()))
        scale.offset = 0.5
        let transform = try DiagonalTransform(scale: scale)
        var gradient = NestedModel(seed: 7)
        let flat = transform.transformed(gradient)
        transform.transform(&gradient)
        #expect(try gradient.flattened() == flat)
        #expect(gradient.offset == NestedModel().offset / 2)
        #expect(gradient.heads["score"]?.values == NestedModel(seed: 7).heads["score"]?.values.map { 2 * $0 })
        #expect(transform.inverse(flat, like: gradient) == NestedModel(seed: 7))
        scale.heads["score"]?.values[1] = -1
        #expect(throws: PrivacyMechanismError.invalidScale(-1, path: "heads/score", index: 1)) {
            try DiagonalTransform(scale: scale)
        }
        let same = try gradient.flattened()
        #expect(IdentityTransform(like: gradient).transformed(gradient) == same)
    }

    @Test func aProjectionGivesAFlatValue() throws {
        let projection = LinearProjection(like: NestedModel(), dimensions: 4, seed: 1)
        let transformed = projection.transformed(NestedModel(seed: 3))
        #expect(transformed.layout == projection.transformedLayout && transformed.count == 4)
        // Within the span of the basis, there and back is the identity: a projection.
        let back = projection.inverse(transformed, like: NestedModel())
        let again = projection.transformed(back)
        // Four products of 13 numbers up to 1.
        #expect(zip(transformed.values, again.values).allSatisfy { abs($0 - $1) <= 64 * 0x1p-24 })
    }

    private struct Sums: PyTree, Sendable {
        var kernel = Tensor(zeros: [2])
        var rest: Float = 0
        var calls = 0

        mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
            try visitor.visit("kernel", &kernel)
            try visitor.visit("rest", &rest)
        }
    }

    /// Sums of the kernel's rows, and the offset. It counts its calls, where it can.
    private func rowSums() -> TreeTransform<NestedModel, Sums> {
        TreeTransform(from: NestedModel(), to: Sums()) { gradient, sums in
            for row in 0..<2 {
                sums.kernel[row] = gradient.blocks[0].kernel.values[3 * row..<3 * row + 3].reduce(0, +)
            }
            sums.rest = gradient.offset + Float(sums.calls)
            sums.calls += 1
        } inverse: { sums, gradient in
            for row in 0..<2 { for column in 0..<3 { gradient.blocks[0].kernel[row, column] = sums.kernel[row] / 3 } }
            gradient.offset = sums.rest
        }
    }

    @Test func aMapBetweenStructsIsClippedInItsOwnSpace() throws {
        let transform = rowSums()
        #expect(transform.transformedLayout.leaves.map(\.path) == ["kernel", "rest"])
        let gradients = gradients(5)
        let found = try sum(.flat(l2ClipNorm: 0.5), transform, gradients)
        var (kernel, rest) = ([0.0, 0.0], 0.0)
        for gradient in gradients {
            let rows = (0..<2).map { row in (0..<3).reduce(0.0) { $0 + Double(gradient.blocks[0].kernel[row, $1]) } }
            let norm = (rows[0] * rows[0] + rows[1] * rows[1] + 0.0625).squareRoot()
            let factor = min(1, 0.5 / norm)
            kernel = zip(kernel, rows).map { $0 + factor * $1 }
            rest += factor * 0.25
        }
        // Sums of three numbers in Float32, five times, and the clip factor's margin of 2⁻²².
        let bound = 32 * 0x1p-22
        #expect(abs(Double(found.offset) - rest) <= bound)
        for row in 0..<2 { #expect(abs(Double(found.blocks[0].kernel[row, 0]) - kernel[row] / 3) <= bound) }
        #expect(found.heads["score"]?.values == [0, 0, 0])
        // The control: clipped before the map, the sum is another.
        let other = try sum(.flat(l2ClipNorm: 0.5), IdentityTransform(like: NestedModel()), gradients)
        #expect(abs(Double(other.offset) - rest) > 0.05)
    }

    /// **Guarantee** of a map between structs: what the closure keeps in a struct reaches no other example.
    @Test func aMapBetweenStructsSeesOneExample() throws {
        let transform = rowSums()
        let one = transform.transformed(NestedModel(seed: 5))
        for _ in 0..<3 { #expect(transform.transformed(NestedModel(seed: 5)) == one) }
    }

    @Test func clipNormsAreAPrefixOfTheStruct() throws {
        let model = NestedModel()
        let norms: PrefixTree<Double> = ["blocks": ["0": ["kernel": 0.5, "bias": 0.1]], "heads": 0.2, "offset": 0.1]
        let rule = try ClippingRule.perSubtree(l2ClipNorms: norms, of: model)
        #expect(
            try rule.sensitivity(for: .addOrRemoveOne, of: model)
                == rule.sensitivity(for: .addOrRemoveOne, layout: model.treeLayout()))
        var clipped = NestedModel(seed: 9)
        try rule.clip(&clipped)
        #expect(try clipped.flattened() == rule.clipped(NestedModel(seed: 9).flattened()))
        let copy = try rule.clipped(NestedModel(seed: 9))
        #expect(clipped.offset <= 0.1 && clipped == copy)
        let missing: PrefixTree<Double> = ["blocks": 1, "heads": 1]
        #expect(throws: PrivacyMechanismError.clipNormsDoNotFitLayout(.uncoveredLeaf("offset"))) {
            try ClippingRule.perSubtree(l2ClipNorms: missing, of: model)
        }
        let unknown: PrefixTree<Double> = ["blocks": ["7": 1], "heads": 1, "offset": 1]
        #expect(throws: PrivacyMechanismError.clipNormsDoNotFitLayout(.prefixWithoutSubtree("blocks/7"))) {
            try ClippingRule.perSubtree(l2ClipNorms: unknown, of: model)
        }
    }

    @Test func otherLeavesTrap() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try DenseRows([NestedModel(), NestedModel(width: 4)], like: NestedModel())
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("blocks/0/kernel") && text.contains("[2, 3]") && text.contains("[2, 4]"))
    }
}
