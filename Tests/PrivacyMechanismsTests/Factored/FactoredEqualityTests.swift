import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// Factored gradients that answer wrongly, each in a way that a careless implementation might.
struct BrokenFactors: PerExampleGradients {
    enum Fault: CaseIterable {
        case biasLeftOutOfTheNorm, scaleNotSquared, positionsAddedInSquares, exampleForgotten,
            coefficientOfTheFirstGroup
    }

    let base: FactoredGradients
    let fault: Fault
    var layout: TreeLayout { base.layout }
    var exampleCount: Int { base.exampleCount }

    func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        var scale = scale
        if fault == .scaleNotSquared {
            scale?.withUnsafeMutableValues { for index in $0.indices { $0[index] = $0[index].squareRoot() } }
        }
        base.squaredNorms(of: examples, under: scale, groups: groups, into: &norms)
        if fault == .biasLeftOutOfTheNorm || fault == .positionsAddedInSquares {
            for (index, example) in examples.enumerated() {
                let wrong = excess(example, under: scale)
                let group = groups.group(of: wrong.columns)
                norms[index * groups.count + group] = max(0, norms[index * groups.count + group] - wrong.square)
            }
        }
    }

    /// What is missing from the norm, and where.
    private func excess(_ example: Int, under scale: ParameterVector?) -> (columns: Range<Int>, square: Double) {
        let columns = layout[fault == .biasLeftOutOfTheNorm ? "dense/bias" : "attention/kernel"]!.range
        func square(_ gradient: [Double]) -> Double {
            columns.reduce(0) { sum, column in
                let value = gradient[column] * Double(scale?.values[column] ?? 1)
                return sum + value * value
            }
        }
        let whole = square(base.exactGradient(of: example))
        if fault == .biasLeftOutOfTheNorm { return (columns, whole) }
        guard case .sequence(_, _, let activations, let outputGradients, let positions) = base.parts[1] else {
            return (columns, 0)
        }
        let apart = (example * positions..<(example + 1) * positions).reduce(0.0) { sum, t in
            var gradient = [Double](repeating: 0, count: layout.count)
            for p in 0..<activations.columns {
                for q in 0..<outputGradients.columns {
                    gradient[columns.lowerBound + p * outputGradients.columns + q] =
                        Double(activations[t, p]) * Double(outputGradients[t, q])
                }
            }
            return sum + square(gradient)
        }
        return (columns, whole - apart)
    }

    func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        var wrong = clipFactors.withUnsafeBufferPointer { Array($0) }
        for index in wrong.indices {
            if fault == .exampleForgotten && index / groups.count == 1 { wrong[index] = 0 }
            if fault == .coefficientOfTheFirstGroup { wrong[index] = clipFactors[index / groups.count * groups.count] }
        }
        base.addWeightedSum(of: examples, clipFactors: wrong.span, groups: groups, to: &sum)
    }
}

@Suite struct FactoredEqualityTests {
    static let clipNorm = 0.7

    static func rules() throws -> [ClippingRule] {
        let prefix: PrefixTree<Double> = [
            "attention": ["bias": 0.5, "kernel": 0.6], "dense": ["bias": 0.3, "kernel": 0.2], "embedding": 0.7,
            "head": 0.4, "norm": 0.6, "temperature": 0.1, "void": 0.5, "recurrent": 0.6,
            "standard": 0.5, "tied": 0.7, "unused": 0.1,
        ]
        return [
            try .flat(l2ClipNorm: clipNorm), try .flat(l2ClipNorm: 0.5, rescaleToUnitNorm: true, normalizeBy: 3),
            try .perSubtree(l2ClipNorms: prefix, normalizeBy: 2),
            try .perSubtree(l2ClipNorms: prefix, rescaleToUnitNorm: true),
            try .automatic(l2ClipNorm: clipNorm), try .perSampleAdaptive(l2ClipNorm: clipNorm),
        ]
    }

    static func scale(_ layout: TreeLayout, seed: UInt64) throws -> ParameterVector {
        var generator = SeededGenerator(seed: seed)
        return try ParameterVector(
            values: (0..<layout.count).map { _ in
                Float(sign: .plus, exponent: Int(generator.next() % 9) - 4, significand: generator.float(1...1.9))
            }, layout: layout)
    }

    static func privateSum(
        _ gradients: some PerExampleGradients, _ rule: ClippingRule, scale: ParameterVector?, padding: [Bool]? = nil,
        noiseMultiplier: Double = 0
    ) throws -> [Float] {
        func sum(_ transform: some PreClippingTransform) throws -> [Float] {
            var aggregate = try ClippedAggregate(
                rule, transform: transform, noise: .floatingPointGaussian, noiseMultiplier: noiseMultiplier)
            aggregate.add(gradients, padding: padding)
            var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 3)
            return try aggregate.noised(noise: &noise).vector.values
        }
        if let scale { return try sum(DiagonalTransform(scale: scale)) }
        return try sum(IdentityTransform(layout: gradients.layout))
    }

    /// How far two sums over the same gradients, factored and dense, may be apart in norm.
    ///
    /// With u = 2⁻²⁴: a dense row is rounded once, u of its norm. Norms under a scale are rounded up, in the square by
    /// γ_(k+4) for k inputs. A gradient with positions is rounded in T steps, γ_T·z where z = Σ_t ‖a_t‖‖e_t‖ under the
    /// scale, of which the norm is inflated by as much again. A norm that is off by a relative d moves a contribution
    /// by at most 2d of its bound (PSAC moves most). The sum adds γ₆₉ of the contributions; both results are rounded to
    /// Float32, and so is noise: two roundings of each element.
    static func tolerance(
        _ gradients: FactoredGradients, _ rule: ClippingRule, scale: ParameterVector?, result: [Float]
    ) throws -> Double {
        let u = 0x1p-24
        var worst = 0.0
        for example in 0..<gradients.exampleCount {
            let gradient = gradients.exactGradient(of: example)
            let groups = try ClippingBounds(rule, for: gradients.layout).groups.ranges
            let norms = groups.map { columns in
                columns.map { gradient[$0] * Double(scale?.values[$0] ?? 1) }.norm
            }
            guard norms.allSatisfy(\.isFinite) else { continue }
            var spread = 0.0
            var positions = 1
            var inputs = 1
            for part in gradients.parts {
                if case .dense(_, _, let activations, _) = part { inputs = max(inputs, activations.columns) }
                guard case .sequence(let kernel, _, let activations, let outputGradients, let count) = part else {
                    continue
                }
                let range = gradients.layout[kernel]!.range
                let largest = scale.map { $0.values[range].map(Double.init).max() ?? 1 } ?? 1
                (positions, inputs) = (count, max(inputs, activations.columns))
                spread += (example * count..<(example + 1) * count).reduce(0) { sum, t in
                    let a = (0..<activations.columns).map { Double(activations[t, $0]) }.norm
                    let e = (0..<outputGradients.columns).map { Double(outputGradients[t, $0]) }.norm
                    return sum + a * e * largest
                }
            }
            let smallest = norms.filter { $0 > 0 }.min() ?? 1
            worst = max(
                worst,
                u + accumulatedRoundingError(inputs + 4)
                    + 2 * accumulatedRoundingError(positions + 1) * (1 + spread / smallest))
        }
        let bound = rule.sensitivityBound(gradients.layout)
        return 2 * worst * bound * Double(gradients.exampleCount)
            + accumulatedRoundingError(69) * bound * Double(gradients.exampleCount)
            + 4 * u * result.map(Double.init).norm
    }

    static func distance(_ left: [Float], _ right: [Float]) -> Double {
        zip(left, right).map { Double($0) - Double($1) }.norm
    }

    /// Whether the answers of `subject` are those of the dense rows, for every rule, with and without a scale.
    static func agrees(_ subject: some PerExampleGradients, with gradients: FactoredGradients, seed: UInt64) throws
        -> Bool
    {
        let dense = try gradients.dense()
        for rule in try rules() {
            for scale in [nil, try scale(gradients.layout, seed: seed)] {
                for noiseMultiplier in [0, 0.5] {
                    let expected = try privateSum(dense, rule, scale: scale, noiseMultiplier: noiseMultiplier)
                    let found = try privateSum(subject, rule, scale: scale, noiseMultiplier: noiseMultiplier)
                    let tolerance = try tolerance(gradients, rule, scale: scale, result: expected)
                    if !(distance(expected, found) <= tolerance) { return false }
                }
            }
        }
        return true
    }

    @Test(arguments: 0..<12)
    func factoredAndDenseAgree(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var shape = RandomFactors.Shape()
        shape.examples = Int(generator.next() % 9)
        shape.inputs = 1 + Int(generator.next() % 12)
        shape.outputs = 1 + Int(generator.next() % 12)
        shape.positions = 1 + Int(generator.next() % 5)
        shape.tableRows = 1 + Int(generator.next() % 8)
        let factors = try RandomFactors(shape, seed: UInt64(seed) + 100)
        #expect(try Self.agrees(factors.gradients, with: factors.gradients, seed: UInt64(seed)))
    }

    @Test(arguments: BrokenFactors.Fault.allCases)
    func faultsAreSeen(fault: BrokenFactors.Fault) throws {
        var shape = RandomFactors.Shape()
        shape.magnitude = { 2 * $0.float() }
        let gradients = try RandomFactors(shape, seed: 5).gradients
        #expect(try Self.agrees(gradients, with: gradients, seed: 9))
        #expect(try !Self.agrees(BrokenFactors(base: gradients, fault: fault), with: gradients, seed: 9))
    }

    /// Tiles of every kind: more than 256 examples, more than 512 inputs, more than 256 outputs, none a multiple.
    @Test func largeShapesAgree() throws {
        var generator = SeededGenerator(seed: 77)
        let (b, m, n, t) = (300, 600, 301, 3)
        func matrix(_ rows: Int, _ columns: Int) -> Matrix {
            Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in generator.float() })
        }
        let layout = try TreeLayout([("a", [n]), ("b", [m, n]), ("c", [m, n])])
        let gradients = try FactoredGradients(
            layout: layout, exampleCount: b,
            parts: [
                .dense(kernel: "b", bias: "a", activations: matrix(b, m), outputGradients: matrix(b, n)),
                .sequence(
                    kernel: "c", bias: nil, activations: matrix(b * t, m), outputGradients: matrix(b * t, n),
                    positions: t),
            ])
        let rule = try ClippingRule.flat(l2ClipNorm: 30)
        for scale in [nil, try Self.scale(layout, seed: 1)] {
            let expected = try Self.privateSum(multipliedOut(gradients), rule, scale: scale)
            let found = try Self.privateSum(gradients, rule, scale: scale)
            // As in `tolerance`, with norms of 30; positions hardly cancel: z is below twice the norm, and the scale's
            // elements differ by 2⁹ at most, but in norm over many elements by less than 4.
            let relative = 2 * (accumulatedRoundingError(516) + 2 * accumulatedRoundingError(4) * 9)
            let tolerance = 30 * Double(b) * (relative + accumulatedRoundingError(69))
            let distance = Self.distance(expected, found)
            #expect(distance <= tolerance && distance > 0)
            let broken = try Self.privateSum(BrokenLargeNorm(base: gradients), rule, scale: scale)
            #expect(Self.distance(expected, broken) > tolerance)
        }
    }

    // MARK: Padding, empty batches, examples that are not finite

    @Test func paddingAndExamplesThatAreNotFiniteAddNothing() throws {
        let base = try RandomFactors(seed: 8).gradients.poisoned(examples: [], with: 0, place: 0)
        let kept = [0, 2, 5, 6]
        for poison in [Float.nan, .infinity, -.infinity] {
            // 8 and 9 are the two matrices of a leaf without elements.
            for place in [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18] {
                // Example 1 is padding, 3 and 4 hold the poison.
                let gradients = try base.poisoned(examples: [1, 3, 4], with: poison, place: place)
                let padding = (0..<7).map { $0 == 1 }
                for rule in try Self.rules() {
                    for scale in [nil, try Self.scale(base.layout, seed: 4)] {
                        let found = try Self.privateSum(gradients, rule, scale: scale, padding: padding)
                        let expected = try Self.privateSum(RandomFactors.subset(base, kept), rule, scale: scale)
                        let tolerance = try Self.tolerance(base, rule, scale: scale, result: expected)
                        #expect(Self.distance(found, expected) <= tolerance)
                        // The control: with the three, the sum is another.
                        let whole = try Self.privateSum(base, rule, scale: scale)
                        #expect(Self.distance(whole, expected) > tolerance)
                    }
                }
            }
        }
    }

    @Test func positionsThatAreOnlyPaddingMayHoldAnything() throws {
        let layout = try TreeLayout([("table", [3, 2])])
        func gradients(_ unused: Float) throws -> FactoredGradients {
            try FactoredGradients(
                layout: layout, exampleCount: 1,
                parts: [
                    .embedding(
                        table: "table", indices: [2, -1],
                        outputGradients: Matrix(rows: 2, columns: 2, elements: [0.1, 0.2, unused, unused]), positions: 2
                    )
                ])
        }
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        #expect(try Self.privateSum(gradients(.nan), rule, scale: nil) == [0, 0, 0, 0, 0.1, 0.2])
    }

    @Test func emptyBatchesAreZeroAndNoised() throws {
        var shape = RandomFactors.Shape()
        shape.examples = 0
        let gradients = try RandomFactors(shape, seed: 1).gradients
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        for scale in [nil, try Self.scale(gradients.layout, seed: 4)] {
            #expect(try Self.privateSum(gradients, rule, scale: scale).allSatisfy { $0 == 0 })
            #expect(
                try Self.privateSum(gradients, rule, scale: scale, noiseMultiplier: 1)
                    == Self.privateSum(gradients.dense(), rule, scale: scale, noiseMultiplier: 1))
        }
    }
}

/// The rows of factored gradients, multiplied out by `copyGradient`, as dense rows.
func multipliedOut(_ gradients: FactoredGradients) throws -> DenseRows {
    var rows = Matrix(rows: gradients.exampleCount, columns: gradients.layout.count)
    for example in 0..<gradients.exampleCount {
        rows.withMutableRow(example) { gradients.copyGradient(of: example, into: &$0) }
    }
    return try DenseRows(rows, layout: gradients.layout)
}

/// Norms that are a thousandth too small.
private struct BrokenLargeNorm: PerExampleGradients {
    let base: FactoredGradients
    var layout: TreeLayout { base.layout }
    var exampleCount: Int { base.exampleCount }

    func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        base.squaredNorms(of: examples, under: scale, groups: groups, into: &norms)
        for index in 0..<norms.count { norms[index] *= 0.99 }
    }

    func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        base.addWeightedSum(of: examples, clipFactors: clipFactors, groups: groups, to: &sum)
    }
}

extension ClippingRule {
    /// The largest norm of a contribution, with the division by `normalizeBy`.
    func sensitivityBound(_ layout: TreeLayout) -> Double {
        try! sensitivity(for: .addOrRemoveOne, layout: layout)
    }
}

extension FactoredGradients {
    /// The same gradients with one bad number in each of the given examples, in factor `place` of the parts.
    func poisoned(examples: [Int], with poison: Float, place: Int) throws -> FactoredGradients {
        var counter = 0
        func spoil(_ matrix: Matrix, _ positions: Int = 1) -> Matrix {
            defer { counter += 1 }
            guard counter == place, matrix.columns > 0 else { return matrix }
            var result = matrix
            for example in examples { result[example * positions + positions / 2, matrix.columns - 1] = poison }
            return result
        }
        func spoiled(_ part: Part) -> Part {
            switch part {
            case .dense(let kernel, let bias, let activations, let outputGradients):
                .dense(
                    kernel: kernel, bias: bias, activations: spoil(activations),
                    outputGradients: spoil(outputGradients))
            case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
                .sequence(
                    kernel: kernel, bias: bias, activations: spoil(activations, positions),
                    outputGradients: spoil(outputGradients, positions), positions: positions)
            case .embedding(let table, let indices, let outputGradients, let positions):
                .embedding(
                    table: table, indices: indices.map { max(0, $0) },
                    outputGradients: spoil(outputGradients, positions), positions: positions)
            case .rows(let leaves, let matrix): .rows(leaves: leaves, spoil(matrix))
            case .joined(let leaf, let uses): .joined(leaf: leaf, uses.map(spoiled))
            case .mapped(let part, let map): .mapped(spoiled(part), map)
            }
        }
        return try FactoredGradients(layout: layout, exampleCount: exampleCount, parts: parts.map(spoiled))
    }
}
