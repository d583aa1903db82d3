import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// A projection to fewer dimensions: T(g) = Qᵀg with orthonormal columns Q, T⁻¹(y) = Qy.
struct Projection: GeneralTransform {
    let parameterLayout: TreeLayout
    let transformedLayout: TreeLayout
    let basis: Matrix

    init(from layout: TreeLayout, dimensions: Int, seed: UInt64) throws {
        var noise = GaussianNoise(nonPrivateSeed: seed)
        var random = Matrix(rows: layout.count, columns: dimensions)
        random.withMutableRows(0..<layout.count) { noise.fill(&$0) }
        basis = random.orthonormalizedColumns()
        parameterLayout = layout
        transformedLayout = try TreeLayout([("projected", [dimensions])])
    }

    func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        gradient.withUnsafeBufferPointer { gradient in
            transformed.withUnsafeMutableBufferPointer { BLAS.gemv(basis, .transposed, gradient, into: $0) }
        }
    }

    func inverse(_ transformed: ParameterVector) -> ParameterVector {
        var result = ParameterVector(zeros: parameterLayout)
        transformed.withUnsafeValues { y in
            result.withUnsafeMutableValues { BLAS.gemv(basis, .none, y, into: $0) }
        }
        return result
    }
}

/// Gradients that only answer the two questions: example i is f_i · v for a shared direction v.
struct SharedDirection: PerExampleGradients {
    let layout: TreeLayout
    let factors: [Float]
    let direction: [Float]

    var exampleCount: Int { factors.count }

    func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        for (row, example) in examples.enumerated() {
            for (group, columns) in groups.ranges.enumerated() {
                norms[row * groups.count + group] = columns.reduce(0) { sum, column in
                    let value = Double(factors[example] * direction[column]) * Double(scale?.values[column] ?? 1)
                    return sum + value * value
                }
            }
        }
    }

    func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        for (row, example) in examples.enumerated() {
            for (group, columns) in groups.ranges.enumerated() where clipFactors[row * groups.count + group] != 0 {
                let values = columns.map { factors[example] * direction[$0] }
                sum.add(values.span, times: clipFactors[row * groups.count + group], at: columns.lowerBound)
            }
        }
    }

    func rows() throws -> DenseRows {
        try DenseRows(
            Matrix(
                rows: factors.count, columns: direction.count,
                elements: factors.flatMap { factor in direction.map { factor * $0 } }), layout: layout)
    }
}

/// Hides that a transform is diagonal, so that the block path is taken.
private struct Opaque: GeneralTransform {
    let base: DiagonalTransform
    var parameterLayout: TreeLayout { base.parameterLayout }
    var transformedLayout: TreeLayout { base.transformedLayout }

    func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        base.scale.withUnsafeValues { scale in
            for column in scale.indices { transformed[column] = scale[column] * gradient[column] }
        }
    }

    func inverse(_ transformed: ParameterVector) -> ParameterVector {
        var result = transformed
        result.withUnsafeMutableValues { values in
            base.scale.withUnsafeValues { scale in
                for index in values.indices { values[index] /= scale[index] }
            }
        }
        return result
    }
}

/// A transform over live state, which changes between clipping and inverse.
private final class FickleTransform: PreClippingTransform, @unchecked Sendable {
    var scale: Float = 1
    let parameterLayout = flatLayout(4)
    var transformedLayout: TreeLayout { parameterLayout }
    var form: TransformForm { .diagonal(ParameterVector(repeating: scale, layout: parameterLayout)) }
}

/// The identity, but only what is not zero is written.
private struct SparseIdentity: GeneralTransform {
    let parameterLayout: TreeLayout
    var transformedLayout: TreeLayout { parameterLayout }

    func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        for index in 0..<gradient.count where gradient[index] != 0 { transformed[index] = gradient[index] }
    }

    func inverse(_ transformed: ParameterVector) -> ParameterVector { transformed }
}

/// Answers question 1 wrongly: leaves norms out, or gives negative ones.
private struct CarelessGradients: PerExampleGradients {
    let base: SharedDirection
    let norm: Double?
    var layout: TreeLayout { base.layout }
    var exampleCount: Int { base.exampleCount }

    func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        guard let norm else { return }
        for index in 0..<norms.count { norms[index] = norm }
    }

    func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        base.addWeightedSum(of: examples, clipFactors: clipFactors, groups: groups, to: &sum)
    }
}

@Suite struct PreClippingTransformTests {
    private static func randomRows(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var generator = SeededGenerator(seed: seed)
        return Matrix(
            rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in generator.float(-2...2) })
    }

    private static func gradient(
        _ rule: ClippingRule, _ transform: some PreClippingTransform, _ gradients: some PerExampleGradients,
        padding: [Bool]? = nil, noiseMultiplier: Double = 0
    ) throws -> ParameterVector {
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 3)
        var aggregate = try ClippedAggregate(
            rule, transform: transform, noise: .floatingPointGaussian, noiseMultiplier: noiseMultiplier)
        aggregate.add(gradients, padding: padding)
        return try aggregate.privatized(noise: &noise).vector
    }

    // MARK: A projection, end to end

    @Test func aProjectionIsClippedAndNoisedInItsOwnSpace() throws {
        let layout = flatLayout(300)
        let projection = try Projection(from: layout, dimensions: 12, seed: 1)
        let rows = try DenseRows(Self.randomRows(700, 300, seed: 2), layout: layout)
        let rule = try ClippingRule.flat(l2ClipNorm: 1.5, normalizeBy: 10)

        var expected = [Double](repeating: 0, count: 12)
        for example in 0..<700 {
            var row = [Float](repeating: 0, count: 300)
            var span = row.mutableSpan
            rows.copyGradient(of: example, into: &span)
            var projected = (0..<12).map { column in
                (0..<300).reduce(0.0) { $0 + Double(row[$1]) * Double(projection.basis[$1, column]) }
            }
            let factor = min(1, 1.5 / projected.norm)
            for index in projected.indices {
                projected[index] *= factor
                expected[index] += projected[index] / 10
            }
        }
        var aggregate = try ClippedAggregate(rule, transform: projection, noiseMultiplier: 0)
        aggregate.add(rows)
        #expect(aggregate.sensitivity(for: .addOrRemoveOne) >= 0.15)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 3)
        let sum = try aggregate.noised(noise: &noise).vector
        #expect(sum.layout == projection.transformedLayout)
        // Each projected coordinate is a Float32 dot product of 300 terms; 700 of norm at most 1.5 are added.
        let tolerance = 300 * 0x1p-24 * 700 * 1.5 / 10
        #expect(zip(sum.values, expected).allSatisfy { abs(Double($0) - $1) < tolerance })

        // Back among the parameters the gradient lies in the span of the basis, and its noise has that rank.
        let gradient = try Self.gradient(rule, projection, rows, noiseMultiplier: 2)
        var coordinates = ParameterVector(zeros: projection.transformedLayout)
        gradient.withUnsafeValues { g in
            coordinates.withUnsafeMutableValues { BLAS.gemv(projection.basis, .transposed, g, into: $0) }
        }
        let back = projection.inverse(coordinates)
        let residual = zip(back.values, gradient.values).map { Double($0 - $1) }.norm
        #expect(residual < 1e-4 * gradient.values.map(Double.init).norm)
        let noiseNorm = zip(coordinates.values, expected).map { Double($0) - $1 }.norm
        // Twelve normals of σ = 2 · 0.15: the norm exceeds 6σ√12 with a probability below 10⁻⁹.
        #expect(noiseNorm > 0.01 && noiseNorm < 6 * 0.3 * 12.0.squareRoot())
    }

    @Test func neighboursInAProjectionDifferByNoMoreThanTheSensitivity() throws {
        let layout = flatLayout(60)
        let projection = try Projection(from: layout, dimensions: 5, seed: 4)
        let rule = try ClippingRule.flat(l2ClipNorm: 0.4)
        let matrix = Self.randomRows(50, 60, seed: 5)
        func sum(of count: Int) throws -> [Double] {
            var aggregate = try ClippedAggregate(rule, transform: projection, noiseMultiplier: 0)
            try matrix.withRows(0..<count) { elements in
                try DenseRows.withRows(over: elements, exampleCount: count, layout: layout) { aggregate.add($0) }
            }
            return Array(aggregate.sum.values.buffer)
        }
        for count in [1, 17, 50] {
            let distance = zip(try sum(of: count), try sum(of: count - 1)).map { $0 - $1 }.norm
            #expect(distance <= 0.4)
            #expect(distance > 0.4 * (1 - 0x1p-22))
        }
    }

    // MARK: Identity and diagonal

    @Test func theFusedDiagonalAgreesWithTheFormedOne() throws {
        let layout = TreeLayout.reference
        var generator = SeededGenerator(seed: 6)
        let scale = try ParameterVector(values: (0..<17).map { _ in generator.float(0.01...30) }, layout: layout)
        let diagonal = try DiagonalTransform(scale: scale)
        let rows = try DenseRows(Self.randomRows(300, 17, seed: 7), layout: layout)
        let padding = (0..<300).map { $0 % 7 == 0 }
        for rule in [
            try ClippingRule.flat(l2ClipNorm: 9), try .perSubtree(l2ClipNorms: ["dense": 5, "temperature": 0.4]),
            try .automatic(l2ClipNorm: 2),
        ] {
            let fused = try Self.gradient(rule, diagonal, rows, padding: padding)
            let formed = try Self.gradient(rule, Opaque(base: diagonal), rows, padding: padding)
            for index in 0..<17 {
                // Forming s ∘ g rounds each product once; at most 300 contributions of a bounded size are added.
                let bound = 300 * 9 * 0x1p-22 / Double(scale.values[index])
                #expect(abs(Double(fused.values[index]) - Double(formed.values[index])) < bound)
            }
        }
    }

    @Test func inverseUndoesTheTransform() throws {
        let layout = flatLayout(500)
        var generator = SeededGenerator(seed: 8)
        let scale = (0..<500).map { _ in Float(sign: .plus, exponent: Int(generator.next() % 20), significand: 1) }
        let diagonal = try DiagonalTransform(scale: ParameterVector(values: scale, layout: layout))
        let values = (0..<500).map { _ in generator.float() }
        let rows = try DenseRows(Matrix(rows: 1, columns: 500, elements: values), layout: layout)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 3)
        func transformed<Transform>(by transform: Transform) throws -> TransformedGradient<Transform> {
            var aggregate = try ClippedAggregate(.flat(l2ClipNorm: .infinity), transform: transform, noiseMultiplier: 0)
            aggregate.add(rows)
            return try aggregate.noised(noise: &noise)
        }
        // Powers of two: both directions are exact.
        let scaled = try transformed(by: diagonal)
        #expect(scaled.vector.values == zip(scale, values).map { $0 * $1 })
        #expect(scaled.inverted().vector.values == values)
        let same = try transformed(by: IdentityTransform(layout: layout))
        #expect(same.vector.values == values)
        #expect(same.inverted().vector.values == values)
    }

    @Test func withoutClippingAndNoiseTheTransformCancels() throws {
        let layout = TreeLayout.reference
        var generator = SeededGenerator(seed: 9)
        let scale = try ParameterVector(values: (0..<17).map { _ in generator.float(0.01...30) }, layout: layout)
        let rows = try DenseRows(Self.randomRows(40, 17, seed: 10), layout: layout)
        let rule = try ClippingRule.flat(l2ClipNorm: .infinity)
        let plain = try Self.gradient(rule, IdentityTransform(layout: layout), rows)
        let scaled = try Self.gradient(rule, DiagonalTransform(scale: scale), rows)
        // Two roundings to Float32 on the way: to the transformed space and back.
        #expect(zip(plain.values, scaled.values).allSatisfy { abs($0 - $1) <= 2 * abs($0).ulp })
    }

    @Test(arguments: [0, -1, .nan, .infinity, -.infinity] as [Float])
    func scalesThatCannotBeInvertedAreRefused(value: Float) throws {
        for index in [0, 5, 15, 16] {
            var values = [Float](repeating: 1, count: 17)
            values[index] = value
            let scale = try ParameterVector(values: values, layout: .reference)
            let error = #expect(throws: PrivacyMechanismError.self) { _ = try DiagonalTransform(scale: scale) }
            let leaf = TreeLayout.reference.leaves.first { $0.range.contains(index) }!
            guard case .invalidScale(let found, leaf.path, index - leaf.range.lowerBound) = error else {
                Issue.record("\(String(describing: error)) does not name element \(index).")
                continue
            }
            #expect(found.bitPattern == value.bitPattern)
        }
    }

    @Test func extremeScalesAreAccepted() throws {
        let values: [Float] = [.leastNonzeroMagnitude, .greatestFiniteMagnitude, 1, 1, 1, 1, 1, 1, 1]
        _ = try DiagonalTransform(scale: ParameterVector(values: values, layout: flatLayout(9)))
    }

    // MARK: Careless transforms and gradients

    @Test func aTransformIsAskedOnce() throws {
        let transform = FickleTransform()
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 1)
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: transform, noise: .floatingPointGaussian, noiseMultiplier: 1)
        aggregate.add(
            try DenseRows(Matrix(rows: 1, columns: 4, elements: [9, 0, 0, 0]), layout: transform.parameterLayout))
        transform.scale = 1_000
        let gradient = try aggregate.privatized(noise: &noise).vector
        // σ = 1, and not 1/1000: three small numbers beside the clipped one would give that away.
        #expect(gradient.values[1...].contains { abs($0) > 0.05 })
    }

    @Test func aMapThatWritesOnlySomeElementsInheritsNothing() throws {
        let layout = flatLayout(200_000)
        var matrix = Matrix(rows: 20, columns: layout.count)
        matrix[0, 5] = 0.5
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        let sum = try Self.gradient(rule, SparseIdentity(parameterLayout: layout), DenseRows(matrix, layout: layout))
        #expect(sum.values[5] == 0.5)
    }

    @Test(arguments: [nil, -1e-9, .nan] as [Double?])
    func examplesWithoutAUsableNormAreLeftOut(norm: Double?) throws {
        let base = SharedDirection(
            layout: .reference, factors: [1e6, 2e6], direction: [Float](repeating: 1, count: 17))
        let sum = try Self.gradient(
            .flat(l2ClipNorm: 1), IdentityTransform(layout: .reference), CarelessGradients(base: base, norm: norm))
        #expect(sum.values.allSatisfy { $0 == 0 })
    }

    @Test func normsOfEveryBlockAreReportedInTheirPlace() throws {
        let layout = TreeLayout.reference
        let rows = try DenseRows(Self.randomRows(700, 17, seed: 13), layout: layout)
        let ones = try DiagonalTransform(scale: ParameterVector(repeating: 1, layout: layout))
        var fused = try ClippedAggregate(.flat(l2ClipNorm: 1), transform: ones, noiseMultiplier: 0)
        var mapped = try ClippedAggregate(.flat(l2ClipNorm: 1), transform: Opaque(base: ones), noiseMultiplier: 0)
        let expected = fused.addReturningNonPrivateOutputs(rows).norms
        #expect(mapped.addReturningNonPrivateOutputs(rows).norms == expected)
        #expect(Set(expected.map { $0[.root]! }).count > 690)
    }

    @Test func aChangeOfLayoutThatClaimsToBeAnIdentityTraps() async {
        await #expect(processExitsWith: .failure) {
            struct Liar: PreClippingTransform {
                let parameterLayout = flatLayout(3)
                let transformedLayout = flatLayout(6)
                var form: TransformForm { .identity }
            }
            _ = try ClippedAggregate(.flat(l2ClipNorm: 1), transform: Liar(), noiseMultiplier: 0)
        }
    }

    @Test func aFormWithAMapBetweenOtherLayoutsTraps() async {
        struct Borrowed: PreClippingTransform {
            let parameterLayout = flatLayout(3)
            let transformedLayout = flatLayout(3)
            let map: SparseIdentity
            var form: TransformForm { .general(map) }
        }
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let transform = Borrowed(map: SparseIdentity(parameterLayout: flatLayout(4)))
            _ = try ClippedAggregate(.flat(l2ClipNorm: 1), transform: transform, noiseMultiplier: 0)
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("is not a transform from"))
        await #expect(processExitsWith: .success) {
            let transform = Borrowed(map: SparseIdentity(parameterLayout: flatLayout(3)))
            _ = try ClippedAggregate(.flat(l2ClipNorm: 1), transform: transform, noiseMultiplier: 0)
        }
    }

    // MARK: Gradients that are not dense rows

    @Test func gradientsThatAnswerTheTwoQuestionsGoTheSameWay() throws {
        let layout = TreeLayout.reference
        var generator = SeededGenerator(seed: 12)
        var factors = (0..<60).map { _ in generator.float(-3...3) }
        factors[7] = .nan
        let gradients = SharedDirection(
            layout: layout, factors: factors, direction: (0..<17).map { _ in generator.float() })
        let scale = try ParameterVector(values: (0..<17).map { _ in generator.float(0.1...3) }, layout: layout)
        let padding = (0..<60).map { $0 == 11 }
        let diagonal = try DiagonalTransform(scale: scale)
        for rule in [
            try ClippingRule.flat(l2ClipNorm: 0.8), try .perSubtree(l2ClipNorms: ["dense": 0.5, "temperature": 0.1]),
        ] {
            let answered = try Self.gradient(rule, diagonal, gradients, padding: padding)
            let dense = try Self.gradient(rule, diagonal, gradients.rows(), padding: padding)
            #expect(zip(answered.values, dense.values).allSatisfy { abs($0 - $1) <= 2 * abs($1).ulp })
            // Through the block path rows are asked for one by one.
            let mapped = try Self.gradient(rule, Opaque(base: diagonal), gradients, padding: padding)
            #expect(zip(mapped.values, dense.values).allSatisfy { abs($0 - $1) <= 1e-4 * abs($1) + 1e-5 })
        }
    }
}
