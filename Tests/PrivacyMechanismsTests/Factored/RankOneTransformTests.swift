import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// **Guarantee:** what a transform of rank one measures is what it adds: a neighbour moves the sum by no more than Δ,
/// whether gradients are factored, rows, or of a type from outside.
@Suite(.serialized) struct RankOneTransformTests {
    /// A scale that spans nine powers of two in each factor.
    static func transform(_ layout: TreeLayout, seed: UInt64) throws -> RankOneTransform {
        let scale = try FactoredEqualityTests.scale(RankOneTransform.scaleLayout(of: layout), seed: seed)
        return try RankOneTransform(layout, scale: scale)
    }

    /// The scale of every element, from the definition.
    static func written(_ transform: RankOneTransform) -> ParameterVector {
        var result = ParameterVector(zeros: transform.parameterLayout)
        let (layout, scale) = (transform.parameterLayout, transform.scale)
        result.withUnsafeMutableValues { values in
            for leaf in layout.leaves {
                if let rows = scale.layout[leaf.path.appending("rows")],
                    let columns = scale.layout[leaf.path.appending("columns")]
                {
                    for index in 0..<leaf.range.count {
                        let (row, column) = index.quotientAndRemainder(dividingBy: leaf.shape[1])
                        values[leaf.range.lowerBound + index] =
                            scale.values[rows.range.lowerBound + row] * scale.values[columns.range.lowerBound + column]
                    }
                } else {
                    let range = scale.layout[leaf.path]!.range
                    for (index, value) in scale.values[range].enumerated() {
                        values[leaf.range.lowerBound + index] = value
                    }
                }
            }
        }
        return result
    }

    /// Maps factors wrongly, each in a way that a careless implementation might.
    struct Twin: GeneralTransform {
        enum Fault: CaseIterable {
            case activationsNotScaled, biasNotScaled, tableRowsNotScaled, rowsNotScaled, nothingScaled
        }

        let base: RankOneTransform
        let fault: Fault

        var parameterLayout: TreeLayout { base.parameterLayout }
        var transformedLayout: TreeLayout { base.transformedLayout }

        func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
            base.transform(gradient, into: &transformed)
        }

        func inverse(_ transformed: ParameterVector) -> ParameterVector { base.inverse(transformed) }

        func transformed(_ gradients: FactoredGradients) -> FactoredGradients? {
            guard let image = base.transformed(gradients), fault != .nothingScaled else { return gradients }
            var parts = image.parts
            for part in gradients.parts {
                switch (part, fault) {
                case (.dense(let kernel, _, let activations, _), .activationsNotScaled):
                    parts = parts.map {
                        guard case .dense(kernel, _, _, let outputGradients) = $0 else { return $0 }
                        return .dense(
                            kernel: kernel, bias: nil, activations: activations, outputGradients: outputGradients)
                    }
                case (.dense(_, let bias?, _, let outputGradients), .biasNotScaled):
                    parts = parts.map { $0.isRows(of: [bias]) ? .rows(leaves: [bias], outputGradients) : $0 }
                case (.rows(let leaves, let matrix), .rowsNotScaled):
                    parts = parts.map { $0.isRows(of: leaves) ? .rows(leaves: leaves, matrix) : $0 }
                case (.embedding, .tableRowsNotScaled):
                    parts = parts.map { $0.isEmbedding ? part : $0 }
                default: break
                }
            }
            return try! FactoredGradients(
                layout: parameterLayout, exampleCount: gradients.exampleCount, parts: parts)
        }
    }

    static func sum(
        _ gradients: some PerExampleGradients, _ rule: ClippingRule, _ transform: some PreClippingTransform,
        noiseMultiplier: Double = 0
    ) throws -> [Float] {
        var aggregate = try ClippedAggregate(
            rule, transform: transform, noise: .floatingPointGaussian, noiseMultiplier: noiseMultiplier)
        aggregate.add(gradients)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 3)
        return try aggregate.noised(noise: &noise).vector.values
    }

    /// Whether factored gradients under `subject` give what rows give under the right transform, for every rule.
    ///
    /// Beside what `FactoredEqualityTests.tolerance` counts, factors are rounded once each, and rows and their scale
    /// too: 6·2⁻²⁴ of the products, against the 2·γ₂ ≥ 4·2⁻²⁴ at least that it counts for positions. So three times it.
    static func agrees(
        _ gradients: FactoredGradients, _ subject: some PreClippingTransform, _ transform: RankOneTransform
    ) throws -> Bool {
        let (dense, scale) = (try gradients.dense(), written(transform))
        for rule in try FactoredEqualityTests.rules() {
            for noiseMultiplier in [0, 0.5] {
                let expected = try sum(dense, rule, transform, noiseMultiplier: noiseMultiplier)
                let found = try sum(gradients, rule, subject, noiseMultiplier: noiseMultiplier)
                let tolerance =
                    3 * (try FactoredEqualityTests.tolerance(gradients, rule, scale: scale, result: expected))
                if !(FactoredEqualityTests.distance(expected, found) <= tolerance) { return false }
            }
        }
        return true
    }

    @Test(arguments: 0..<8) func factoredAndDenseAgree(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var shape = RandomFactors.Shape()
        shape.examples = Int(generator.next() % 9)
        shape.inputs = 1 + Int(generator.next() % 12)
        shape.outputs = 1 + Int(generator.next() % 12)
        shape.positions = 1 + Int(generator.next() % 5)
        shape.tableRows = 1 + Int(generator.next() % 8)
        let gradients = try RandomFactors(shape, seed: UInt64(seed) + 100).gradients
        let transform = try Self.transform(gradients.layout, seed: UInt64(seed))
        #expect(try Self.agrees(gradients, transform, transform))
    }

    @Test(arguments: Twin.Fault.allCases) func wronglyMappedFactorsAreSeen(fault: Twin.Fault) throws {
        var shape = RandomFactors.Shape()
        shape.magnitude = { 2 * $0.float() }
        let gradients = try RandomFactors(shape, seed: 5).gradients
        let transform = try Self.transform(gradients.layout, seed: 9)
        #expect(try !Self.agrees(gradients, Twin(base: transform, fault: fault), transform))
    }

    /// The image of rows is, in every bit, the scale's product with each element; so is that of a type from outside.
    @Test func rowsAreMultipliedElementByElement() throws {
        let gradients = try RandomFactors(seed: 3).gradients
        let transform = try Self.transform(gradients.layout, seed: 2)
        let (rows, scale) = (try gradients.dense(), Self.written(transform))
        var image = [Float](repeating: 0, count: gradients.layout.count)
        for example in 0..<rows.exampleCount {
            let row = UnsafeBufferPointer(start: rows.row(example), count: image.count)
            var span = image.mutableSpan
            transform.transform(row.span, into: &span)
            #expect(image == zip(row, scale.values).map { $0 * $1 })
        }
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        let mapped = try DenseRows(
            Matrix(
                rows: rows.exampleCount, columns: image.count,
                elements: (0..<rows.exampleCount).flatMap { example in
                    (0..<image.count).map { rows.row(example)[$0] * scale.values[$0] }
                }), layout: gradients.layout)
        let expected = try Self.sum(mapped, rule, IdentityTransform(layout: gradients.layout))
        #expect(try Self.sum(rows, rule, transform) == expected)
        #expect(try Self.sum(rows, rule, IdentityTransform(layout: gradients.layout)) != expected)
        #expect(
            try Self.sum(ForeignGradients(base: gradients), rule, transform)
                == Self.sum(multipliedOut(gradients), rule, transform))
    }

    // MARK: The guarantee

    static func exactSum(
        _ gradients: some PerExampleGradients, _ rule: ClippingRule, _ transform: some PreClippingTransform
    ) throws -> ExactSum {
        var aggregate = try ClippedAggregate(rule, transform: transform, noiseMultiplier: 1)
        aggregate.add(gradients)
        return ExactSum(aggregate, scale: nil)
    }

    /// By how many of its bounds the worst neighbour moves the sum.
    static func worstMove(
        _ gradients: FactoredGradients, _ sum: (FactoredGradients) throws -> [Double], bound: Double
    ) throws -> Double {
        let whole = try sum(gradients)
        return try (0..<gradients.exampleCount).map { left in
            let kept = (0..<gradients.exampleCount).filter { $0 != left }
            let rest = try sum(RandomFactors.subset(gradients, kept))
            return zip(whole, rest).map { $0 - $1 }.norm / bound
        }.max()!
    }

    /// Exact sums under a transform of rank one move by at most M, for every rule, factored and as rows.
    @Test func aNeighbourMovesTheExactSumByAtMostM() throws {
        for magnitude: Float in [1e-12, 0.3, 40, 1e12] {
            var shape = RandomFactors.Shape()
            shape.magnitude = { magnitude * $0.float() }
            let gradients = try RandomFactors(shape, seed: 21).gradients
            let transform = try Self.transform(gradients.layout, seed: 22)
            for rule in try FactoredEqualityTests.rules() {
                let bound = Double(try Self.exactSum(gradients, rule, transform).grid.sensitivity)
                let integers = { (sum: ExactSum) in sum.integers.map(Double.init) }
                #expect(
                    try Self.worstMove(
                        gradients, { integers(try Self.exactSum($0, rule, transform)) }, bound: bound) <= 1)
                #expect(
                    try Self.worstMove(
                        gradients, { integers(try Self.exactSum($0.dense(), rule, transform)) }, bound: bound) <= 1)
            }
        }
    }

    /// An exact sum is the floating-point one, but for what its grid rounds: a factor may lose 2⁻⁸ before it is taken
    /// more finely, and whole numbers of a norm of 2¹² or more, of at most 12 elements, lose less than 2⁻¹⁰.
    ///
    /// The broken twins map factors wrongly, or not at all.
    @Test func exactSumsAreThoseOfTheImages() throws {
        let gradients = try RandomFactors(seed: 25).gradients
        let transform = try Self.transform(gradients.layout, seed: 26)
        var unseen = Set(Twin.Fault.allCases)
        for rule in try FactoredEqualityTests.rules() {
            let exact = try Self.exactSum(gradients, rule, transform)
            let unit = exact.grid.spacing / rule.normalizeBy
            func distance(_ other: some PreClippingTransform) throws -> Double {
                zip(exact.integers, try Self.sum(gradients, rule, other)).map { Double($0) * unit - Double($1) }.norm
            }
            let tolerance = 0x1p-7 * Double(gradients.exampleCount) * rule.sensitivityBound(gradients.layout)
            #expect(try distance(transform) <= tolerance)
            // What is a small part of a gradient shows under some rules only.
            for fault in unseen where try distance(Twin(base: transform, fault: fault)) > tolerance {
                unseen.remove(fault)
            }
        }
        #expect(unseen.isEmpty)
    }

    /// Floating-point sums move by Δ but for their rounding, which `FactoredGradients` bounds by 8.3e-6·B.
    ///
    /// The broken twin takes norms of the factors before they are scaled: it clips them, and scales the sum.
    @Test func aNeighbourMovesTheFloatingPointSumByTheSensitivity() throws {
        let gradients = try RandomFactors(seed: 23).gradients
        let transform = try Self.transform(gradients.layout, seed: 24)
        let (scale, identity) = (Self.written(transform), IdentityTransform(layout: gradients.layout))
        for rule in try FactoredEqualityTests.rules() {
            let bound = rule.sensitivityBound(gradients.layout)
            // Sums are rounded to Float32 when they are handed out, toward zero: 2⁻²³ of at most B bounds each.
            let slack = 1 + (8.3e-6 + 2 * 0x1p-23) * Double(gradients.exampleCount)
            let move = try Self.worstMove(
                gradients, { try Self.sum($0, rule, transform).map(Double.init) }, bound: bound)
            #expect(move <= slack)
            let twin = try Self.worstMove(
                gradients,
                { try zip(Self.sum($0, rule, identity), scale.values).map { Double($0) * Double($1) } }, bound: bound)
            #expect(twin > 2 * slack)
        }
    }

    /// Means of a unit's gradients are taken before, and no bit of an image depends on other examples.
    @Test func imagesAreTheirExamplesAlone() throws {
        let gradients = try RandomFactors(seed: 31).gradients
        let transform = try Self.transform(gradients.layout, seed: 32)
        func rows(_ gradients: FactoredGradients) throws -> [[UInt32]] {
            let image = try #require(transform.transformed(gradients))
            return (0..<image.exampleCount).map { example in
                var row = [Float](repeating: 0, count: image.layout.count)
                var span = row.mutableSpan
                image.copyGradient(of: example, into: &span)
                return row.map(\.bitPattern)
            }
        }
        let whole = try rows(gradients)
        for kept in [[4], [6, 1], [0, 2, 3, 5]] {
            #expect(try rows(RandomFactors.subset(gradients, kept)) == kept.map { whole[$0] })
        }
        #expect(whole[0] != whole[1])
    }

    @Test func examplesThatAreNotFiniteAddNothing() throws {
        let base = try RandomFactors(seed: 8).gradients.poisoned(examples: [], with: 0, place: 0)
        let transform = try Self.transform(base.layout, seed: 4)
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        let expected = try Self.exactSum(RandomFactors.subset(base, [0, 1, 2, 5, 6]), rule, transform)
        for poison in [Float.nan, .infinity] {
            for place in 0..<8 {
                let gradients = try base.poisoned(examples: [3, 4], with: poison, place: place)
                #expect(try Self.exactSum(gradients, rule, transform) == expected)
            }
        }
        #expect(try Self.exactSum(base, rule, transform) != expected)
    }

    /// A position that is only padding may hold anything, and its row is not looked up.
    @Test func paddedPositionsAreNotScaled() throws {
        let layout = try TreeLayout([("table", [3, 2])])
        let scale = try ParameterVector(
            values: [1, 2, 4, 0.5, 1], layout: RankOneTransform.scaleLayout(of: layout))
        let gradients = try FactoredGradients(
            layout: layout, exampleCount: 1,
            parts: [
                .embedding(
                    table: "table", indices: [2, -1],
                    outputGradients: Matrix(rows: 2, columns: 2, elements: [0.1, 0.2, .nan, .nan]), positions: 2)
            ])
        let transform = try RankOneTransform(layout, scale: scale)
        let found = try Self.sum(gradients, .flat(l2ClipNorm: 10), transform)
        let expected: [Float] = [0, 0, 0, 0, 0.1 * 2, 0.2 * 4]
        #expect(found == expected)
    }

    // MARK: The inverse

    /// Without clipping the transform cancels: rounded there, and back.
    @Test func theInverseIsOfTheSameScale() throws {
        let gradients = try RandomFactors(seed: 41).gradients
        let transform = try Self.transform(gradients.layout, seed: 42)
        let rule = try ClippingRule.flat(l2ClipNorm: .infinity)
        func mean(_ transform: some PreClippingTransform) throws -> ParameterVector {
            var aggregate = try ClippedAggregate(rule, transform: transform, noiseMultiplier: 0)
            aggregate.add(try gradients.dense())
            var noise = Noise(.discreteGaussian, nonPrivateSeed: 1)
            return try aggregate.privatized(noise: &noise).vector
        }
        let plain = try mean(IdentityTransform(layout: gradients.layout))
        let rows = try gradients.dense()
        let sizes = plain.values.indices.map(rows.magnitude(ofColumn:))
        let found = try mean(transform)
        for (index, size) in sizes.enumerated() {
            // Each row's product is rounded, then the sum, and the quotient.
            #expect(abs(found.values[index] - plain.values[index]) <= 4 * 0x1p-24 * size)
        }
        var image = ParameterVector(zeros: gradients.layout)
        image.withMutableSpan { transform.transform(plain.values.span, into: &$0) }
        let back = transform.inverse(image)
        #expect(zip(back.values, plain.values).allSatisfy { abs($0 - $1) <= 2 * $1.ulp })
        let other = try Self.transform(gradients.layout, seed: 43)
        #expect(other.inverse(image) != back)
    }

    // MARK: Scales that are refused

    @Test(arguments: [0, -1, .nan, .infinity] as [Float])
    func scalesThatCannotBeInvertedAreRefused(value: Float) throws {
        let layout = try TreeLayout([("bias", [2]), ("kernel", [2, 3])])
        let scaleLayout = RankOneTransform.scaleLayout(of: layout)
        let places: [(Int, TreePath, Int)] = [(1, "bias", 1), (3, "kernel/rows", 1), (6, "kernel/columns", 2)]
        for (index, path, place) in places {
            var values = [Float](repeating: 1, count: scaleLayout.count)
            values[index] = value
            let scale = try ParameterVector(values: values, layout: scaleLayout)
            let error = #expect(throws: PrivacyMechanismError.self) { try RankOneTransform(layout, scale: scale) }
            guard case .invalidScale(_, path, place) = error else {
                Issue.record("\(String(describing: error)) does not name the element.")
                continue
            }
        }
    }

    /// Factors that are positive and finite, with a product that is not.
    @Test(arguments: [Float(1e30), 1e-30]) func productsAreCheckedToo(value: Float) throws {
        let layout = try TreeLayout([("kernel", [2, 3])])
        func scale(_ column: Float) throws -> ParameterVector {
            try ParameterVector(values: [1, value, 1, 1, column], layout: RankOneTransform.scaleLayout(of: layout))
        }
        #expect(throws: PrivacyMechanismError.invalidScale(value * value, path: "kernel", index: 5)) {
            try RankOneTransform(layout, scale: scale(value))
        }
        _ = try RankOneTransform(layout, scale: scale(1 / value))
    }

    @Test func aScaleOfAnotherLayoutTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layout = try TreeLayout([("kernel", [2, 3])])
            _ = try RankOneTransform(layout, scale: ParameterVector(repeating: 1, layout: layout))
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("is not of rank one for gradients of layout"))
    }

    @Test func gradientsOfAnotherLayoutTrap() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layout = try TreeLayout([("kernel", [2, 3])])
            let scale = ParameterVector(repeating: 1, layout: RankOneTransform.scaleLayout(of: layout))
            _ = try RankOneTransform(layout, scale: scale).transformed(RandomFactors(seed: 1).gradients)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("do not fit a transform of"))
    }
}

extension DenseRows {
    /// Σ |g_ij| of one column.
    fileprivate func magnitude(ofColumn column: Int) -> Float {
        (0..<exampleCount).reduce(0) { $0 + abs(row($1)[column]) }
    }
}

extension FactoredGradients.Part {
    fileprivate func isRows(of leaves: [TreePath]) -> Bool {
        if case .rows(leaves, _) = self { true } else { false }
    }

    fileprivate var isEmbedding: Bool { if case .embedding = self { true } else { false } }
}
