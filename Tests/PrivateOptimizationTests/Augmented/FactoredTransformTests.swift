import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Synchronization
import Testing

/// Factored gradients under general transforms: Kronecker factors keep them factored, a projection does not.
@Suite struct FactoredTransformTests {
    static let (m, n, positions, tableRows) = (6, 4, 3, 5)

    static let layout = try! TreeLayout([
        ("attention/bias", [n]), ("attention/kernel", [m, n]), ("dense/bias", [n]), ("dense/kernel", [m, n]),
        ("embedding", [tableRows, n]), ("norm/mixer", [n, n]), ("norm/offset", [m]),
    ])

    static func matrix(_ rows: Int, _ columns: Int, _ noise: inout GaussianNoise) -> Matrix {
        var matrix = Matrix(rows: rows, columns: columns)
        matrix.withMutableRows(0..<rows) { noise.fill(&$0) }
        return matrix
    }

    static func gradients(_ b: Int, seed: UInt64, dropping dropped: Int? = nil) throws -> FactoredGradients {
        var noise = GaussianNoise(nonPrivateSeed: seed)
        func factor(_ columns: Int, _ positions: Int = 1) -> Matrix {
            let whole = Self.matrix(b * positions, columns, &noise)
            guard let dropped else { return whole }
            let kept = (0..<b * positions).filter { $0 / positions != dropped }
            return Matrix(
                rows: kept.count, columns: columns,
                elements: kept.flatMap { row in (0..<columns).map { whole[row, $0] } })
        }
        var indices = (0..<b * positions).map { ($0 * $0 + 2 * $0) % (tableRows + 1) - 1 }
        if let dropped { indices.removeSubrange(dropped * positions..<(dropped + 1) * positions) }
        return try FactoredGradients(
            layout: layout, exampleCount: dropped == nil ? b : b - 1,
            parts: [
                .sequence(
                    kernel: "attention/kernel", bias: "attention/bias", activations: factor(m, positions),
                    outputGradients: factor(n, positions), positions: positions),
                .dense(kernel: "dense/kernel", bias: "dense/bias", activations: factor(m), outputGradients: factor(n)),
                .embedding(
                    table: "embedding", indices: indices, outputGradients: factor(n, positions), positions: positions),
                .rows(leaves: ["norm/mixer", "norm/offset"], factor(n * n + m)),
            ])
    }

    static func dense(_ gradients: FactoredGradients) throws -> DenseRows {
        var rows = Matrix(rows: gradients.exampleCount, columns: layout.count)
        for example in 0..<rows.rows {
            rows.withMutableRow(example) { gradients.copyGradient(of: example, into: &$0) }
        }
        return try DenseRows(rows, layout: layout)
    }

    static func kronecker(maximumSide: Int = 8192) throws -> KroneckerTransform {
        let optimizer = try KroneckerPreconditioning(
            sgd(learningRate: 0.1), damping: 1e-2, maximumSide: maximumSide)
        var parameters = ParameterVector(zeros: layout)
        var state = try optimizer.initialState(for: parameters)
        for step in 0..<5 {
            var noise = GaussianNoise(nonPrivateSeed: UInt64(step))
            var updates = ParameterVector(zeros: layout)
            updates.withMutableSpan { noise.fill(&$0) }
            try optimizer.step(onTransformed: updates, state: &state, parameters: &parameters)
        }
        return try optimizer.preClippingTransform(for: state, layout: layout)
    }

    static func lowRank() throws -> LowRankTransform {
        let optimizer = try LowRankProjection(sgd(learningRate: 1), rank: 2, seed: 1)
        return try optimizer.preClippingTransform(
            for: optimizer.initialState(for: ParameterVector(zeros: layout)), layout: layout)
    }

    static func rules() throws -> [ClippingRule] {
        let prefix: PrefixTree<Double> = [
            "attention": ["bias": 0.5, "kernel": 0.6], "dense": ["bias": 0.3, "kernel": 0.2], "embedding": 0.7,
            "norm": 0.6,
        ]
        return [
            try .flat(l2ClipNorm: 0.7), try .flat(l2ClipNorm: 0.7, rescaleToUnitNorm: true),
            try .perSubtree(l2ClipNorms: prefix, normalizeBy: 2), try .automatic(l2ClipNorm: 0.7),
            try .perSampleAdaptive(l2ClipNorm: 0.7),
        ]
    }

    static func sum(
        _ gradients: some PerExampleGradients, _ rule: ClippingRule, _ transform: some PreClippingTransform,
        padding: [Bool]? = nil, noiseMultiplier: Double = 0
    ) throws -> [Double] {
        var aggregate = try ClippedAggregate(
            rule, transform: transform, noise: .floatingPointGaussian, noiseMultiplier: noiseMultiplier)
        aggregate.add(gradients, padding: padding)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 3)
        return try aggregate.noised(noise: &noise).vector.values
            .map(Double.init)
    }

    static func distance(_ left: [Double], _ right: [Double]) -> Double {
        zip(left, right).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }

    static func norm(_ values: some Sequence<Float>) -> Double {
        values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    static func roundingError(_ roundings: Int) -> Double {
        Double(roundings) * 0x1p-24 / (1 - Double(roundings) * 0x1p-24)
    }

    /// Σ_t ‖a_t‖‖e_t‖ over all leaves, each times what the transform can lengthen it by: its factors' Frobenius norms.
    static func size(_ gradients: FactoredGradients, _ example: Int, amplification: (TreePath) -> Double) -> Double {
        func rows(_ matrix: Matrix, _ positions: Int) -> [Double] {
            (example * positions..<(example + 1) * positions).map { row in
                matrix.withRow(row) { span in norm((0..<span.count).map { span[$0] }) }
            }
        }
        return gradients.parts.reduce(0) { sum, part in
            switch part {
            case .dense(let kernel, _, let activations, let outputGradients):
                sum + rows(activations, 1)[0] * rows(outputGradients, 1)[0] * amplification(kernel)
            case .sequence(let kernel, _, let activations, let outputGradients, let positions):
                sum + zip(rows(activations, positions), rows(outputGradients, positions)).reduce(0) { $0 + $1.0 * $1.1 }
                    * amplification(kernel)
            case .embedding(let table, _, let outputGradients, let positions):
                sum + rows(outputGradients, positions).reduce(0, +) * amplification(table)
            case .rows(let leaves, let matrix):
                sum + rows(matrix, 1)[0] * (leaves.map(amplification).max() ?? 1)
            case .joined, .mapped: preconditionFailure("These gradients have neither.")
            }
        }
    }

    /// How far the sums over factored and over dense gradients may be apart.
    ///
    /// An image is multiplied out in at most k = m + n + T + 4 roundings either way: it errs by 2·γ_k of its size. What
    /// that is of a group's norm moves a contribution by twice as much of its bound; the sum of Float32 products adds
    /// γ₆₉ of each, and the results are rounded to Float32.
    static func tolerance(
        _ gradients: FactoredGradients, _ rule: ClippingRule, _ transform: some PreClippingTransform,
        result: [Double], amplification: (TreePath) -> Double
    ) throws -> Double {
        var aggregate = try ClippedAggregate(rule, transform: transform, noiseMultiplier: 0)
        let outputs = try aggregate.addReturningNonPrivateOutputs(dense(gradients))
        var worst = 0.0
        for (example, norms) in outputs.norms.enumerated() {
            let smallest = try norms.groups(in: transform.transformedLayout).map(\.value).min()!
            let error =
                2 * roundingError(m + n + positions + 4) * size(gradients, example, amplification: amplification)
            worst = max(worst, error / smallest)
        }
        let bound = try rule.sensitivity(for: .addOrRemoveOne, layout: transform.transformedLayout)
        return Double(gradients.exampleCount) * bound * (2 * worst + roundingError(69))
            + 4 * 0x1p-24 * result.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    /// Counts the blocks that are multiplied out, and can map factors wrongly.
    struct Observed: GeneralTransform {
        enum Fault: CaseIterable { case biasMappedToo, errorsNotMapped, nothingMapped }

        final class Counter: Sendable {
            let blocks = Atomic<Int>(0)
        }

        let base: KroneckerTransform
        var fault: Fault?
        let counter = Counter()

        var parameterLayout: TreeLayout { base.parameterLayout }
        var transformedLayout: TreeLayout { base.transformedLayout }

        func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
            counter.blocks.add(1, ordering: .relaxed)
            base.transform(gradient, into: &transformed)
        }

        func inverse(_ transformed: ParameterVector) -> ParameterVector { base.inverse(transformed) }

        func transformed(_ gradients: FactoredGradients) -> FactoredGradients? {
            guard let image = base.transformed(gradients), let fault else { return base.transformed(gradients) }
            if fault == .nothingMapped { return gradients }
            guard case .dense(_, _, _, let before) = gradients.parts[1] else { return nil }
            var parts = image.parts
            let place = parts.firstIndex { if case .dense = $0 { true } else { false } }!
            guard case .dense(let kernel, _, let activations, let outputGradients) = parts[place] else { return nil }
            switch fault {
            case .biasMappedToo: parts[place + 1] = .rows(leaves: ["dense/bias"], outputGradients)
            default: parts[place] = .dense(kernel: kernel, bias: nil, activations: activations, outputGradients: before)
            }
            return try! FactoredGradients(layout: layout, exampleCount: image.exampleCount, parts: parts)
        }
    }

    static func amplification(_ transform: KroneckerTransform) -> (TreePath) -> Double {
        { path in
            ["left", "right"].reduce(1) { product, side in
                guard let leaf = transform.factors.layout[path.appending(side)] else { return product }
                return product * norm(transform.factors.values[leaf.range])
            }
        }
    }

    /// Whether factored gradients under `transform` give what dense ones give under the right one, for every rule.
    static func agrees(_ transform: Observed) throws -> Bool {
        for b in [0, 1, 9, 140] {
            let gradients = try gradients(b, seed: UInt64(b) + 1)
            for rule in try rules() {
                for noiseMultiplier in [0, 0.3] {
                    let expected = try sum(
                        dense(gradients), rule, transform.base, noiseMultiplier: noiseMultiplier)
                    let found = try sum(gradients, rule, transform, noiseMultiplier: noiseMultiplier)
                    let tolerance = try tolerance(
                        gradients, rule, transform.base, result: expected, amplification: amplification(transform.base))
                    if !(distance(expected, found) <= tolerance) { return false }
                }
            }
        }
        return true
    }

    @Test func kroneckerTransformsOfFactorsAgreeWithThoseOfRows() throws {
        // The second leaves matrices with a side of 6 as they are.
        for maximumSide in [8192, 5] {
            let transform = Observed(base: try Self.kronecker(maximumSide: maximumSide))
            #expect(try Self.agrees(transform))
            #expect(transform.counter.blocks.load(ordering: .relaxed) == 0)
        }
    }

    @Test(arguments: Observed.Fault.allCases)
    func wronglyMappedFactorsAreSeen(fault: Observed.Fault) throws {
        #expect(try !Self.agrees(Observed(base: Self.kronecker(), fault: fault)))
    }

    @Test func projectionsMultiplyOutBlocks() throws {
        let transform = try Self.lowRank()
        let gradients = try Self.gradients(300, seed: 5)
        #expect(transform.transformed(gradients) == nil)
        for rule in try Self.rules() {
            let expected = try Self.sum(Self.dense(gradients), rule, transform)
            let found = try Self.sum(gradients, rule, transform)
            // The basis has two orthonormal columns.
            let tolerance = try Self.tolerance(gradients, rule, transform, result: expected) { _ in 2.0.squareRoot() }
            #expect(Self.distance(expected, found) <= tolerance)
            let fewer = try Self.sum(Self.gradients(300, seed: 5, dropping: 7), rule, transform)
            #expect(Self.distance(expected, fewer) > tolerance)
        }
    }

    @Test func imagesDoNotDependOnTheRestOfTheBatch() throws {
        let transform = try Self.kronecker()
        let whole = try #require(transform.transformed(Self.gradients(150, seed: 2)))
        let fewer = try #require(transform.transformed(Self.gradients(150, seed: 2, dropping: 3)))
        func row(_ gradients: FactoredGradients, _ example: Int) -> [UInt32] {
            var row = [Float](repeating: 0, count: Self.layout.count)
            var span = row.mutableSpan
            gradients.copyGradient(of: example, into: &span)
            return row.map(\.bitPattern)
        }
        for example in 0..<149 { #expect(row(fewer, example) == row(whole, example < 3 ? example : example + 1)) }
        #expect(row(fewer, 3) != row(whole, 3))
    }

    @Test func neighboursDifferByTheSensitivity() throws {
        let transform = try Self.kronecker()
        let b = 20
        let whole = try Self.gradients(b, seed: 3)
        for rule in try Self.rules() {
            let bound = try rule.sensitivity(for: .addOrRemoveOne, layout: Self.layout)
            let sum = try Self.sum(whole, rule, transform)
            // γ₆₉ of every contribution in each sum, and both rounded to Float32.
            let slack = 2 * (Self.roundingError(69) + 0x1p-24) * Double(b) * bound
            for dropped in stride(from: 0, to: b, by: 7) {
                let without = try Self.sum(Self.gradients(b, seed: 3, dropping: dropped), rule, transform)
                #expect(Self.distance(sum, without) <= bound + slack)
            }
        }
        let unclipped = try Self.sum(whole, .flat(l2ClipNorm: .infinity), transform)
        let without = try Self.sum(Self.gradients(b, seed: 3, dropping: 0), .flat(l2ClipNorm: .infinity), transform)
        #expect(Self.distance(unclipped, without) > 2)
    }

    @Test func examplesThatAreNotFiniteAreExcluded() throws {
        let transform = try Self.kronecker()
        let b = 9
        let clean = try Self.gradients(b, seed: 4)
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        let expected = try Self.sum(clean, rule, transform, padding: (0..<b).map { $0 == 2 })
        for place in 0..<4 {
            var parts = clean.parts
            func spoiled(_ matrix: Matrix, _ positions: Int) -> Matrix {
                var matrix = matrix
                matrix[2 * positions, 0] = .nan
                return matrix
            }
            switch parts[place] {
            case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
                parts[place] = .sequence(
                    kernel: kernel, bias: bias, activations: spoiled(activations, positions),
                    outputGradients: outputGradients,
                    positions: positions)
            case .dense(let kernel, let bias, let activations, let outputGradients):
                parts[place] = .dense(
                    kernel: kernel, bias: bias, activations: activations, outputGradients: spoiled(outputGradients, 1))
            case .embedding(let table, let indices, let outputGradients, let positions):
                var used = indices
                used[2 * positions] = 1
                parts[place] = .embedding(
                    table: table, indices: used, outputGradients: spoiled(outputGradients, positions),
                    positions: positions)
            case .rows(let leaves, let matrix): parts[place] = .rows(leaves: leaves, spoiled(matrix, 1))
            case .joined, .mapped: preconditionFailure("These gradients have neither.")
            }
            let gradients = try FactoredGradients(layout: Self.layout, exampleCount: b, parts: parts)
            let found = try Self.sum(gradients, rule, transform)
            #expect(Self.distance(found, expected) == 0)
            #expect(try Self.distance(Self.sum(clean, rule, transform), expected) > 0.1)
        }
    }
}
