import LinearAlgebra
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Testing

/// Clipped sums against jax_privacy's `clipped_fun`.
@Suite struct ClippedAggregateReferenceTests {
    private struct Case {
        let rows: [[Float]]
        let padding: [Bool]
        let rule: ClippingRule
        let entry: JSONValue

        init(_ entry: JSONValue) throws {
            self.entry = entry
            padding = entry["is_padding"].array.map(\.bool)
            let bias = entry["gradients"]["dense"]["bias"].array
            let kernel = entry["gradients"]["dense"]["kernel"].array
            let temperature = entry["gradients"]["temperature"].array
            rows = padding.indices.map { example in
                (bias[example].flat + kernel[example].flat + temperature[example].flat).map { Float($0) }
            }
            rule = try .perSubtree(
                l2ClipNorms: entry["clip_norm"].prefixTree, rescaleToUnitNorm: entry["rescale_to_unit_norm"].bool,
                normalizeBy: entry["normalize_by"].double)
        }

        func gradients() throws -> DenseRows {
            try DenseRows(
                Matrix(rows: rows.count, columns: 17, elements: rows.flatMap { $0 }), layout: .reference)
        }

        func aggregate() throws -> ClippedAggregate<IdentityTransform> {
            var aggregate = try ClippedAggregate(
                rule, transform: IdentityTransform(layout: .reference), noiseMultiplier: 0)
            aggregate.add(try gradients(), padding: padding)
            return aggregate
        }
    }

    private static func cases() throws -> [Case] {
        try ReferenceValues.load("clipping.json")["clipped_sum"].array.map(Case.init)
    }

    /// The largest absolute value that a coordinate of the sum could have, given how its examples are clipped: what
    /// rounding errors of the sum are relative to.
    private static func magnitude(_ item: Case, _ column: Int) throws -> Double {
        try item.rows.enumerated().reduce(0) { sum, row in
            guard !item.padding[row.offset], row.element.allSatisfy(\.isFinite) else { return sum }
            let clipped = try item.rule.clipped(ParameterVector(values: row.element, layout: .reference))
            return sum + abs(Double(clipped.values[column])) / item.rule.normalizeBy
        }
    }

    @Test func sumsAgree() throws {
        let cases = try Self.cases()
        #expect(!cases.isEmpty)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 0)
        for (index, item) in cases.enumerated() {
            let sum = try item.aggregate().privatized(noise: &noise).vector
            let expected = item.entry["sum"].flat
            // Per example as for a single gradient; then B additions and a quotient in Float32.
            let tolerance = ClippingRuleReferenceTests.relativeTolerance + Double(item.rows.count + 2) * 0x1p-24
            for column in expected.indices {
                let error = abs(Double(sum.values[column]) - expected[column])
                #expect(
                    error <= tolerance * (try Self.magnitude(item, column)), "case \(index), column \(column)")
            }
        }
    }

    @Test func normsAgree() throws {
        for item in try Self.cases() {
            var aggregate = try ClippedAggregate(
                item.rule, transform: IdentityTransform(layout: .reference), noiseMultiplier: 0)
            let outputs = aggregate.addReturningNonPrivateOutputs(try item.gradients(), padding: item.padding)
            let expected = Self.paths(of: item.rule).map { path in
                path.keys.reduce(item.entry["norms"]) { $0[$1] }.array.map(\.double)
            }
            for (example, norms) in outputs.norms.enumerated() {
                for (path, values) in zip(Self.paths(of: item.rule), expected) {
                    let norm = try #require(norms[path])
                    let isClose = abs(norm - values[example]) <= ClippingRuleReferenceTests.relativeTolerance * norm
                    #expect(isClose || (norm.isNaN && values[example].isNaN))
                }
            }
        }
    }

    private static func paths(of rule: ClippingRule) -> [TreePath] {
        try! rule.method.l2ClipNorms.groups(in: .reference).map(\.path)
    }

    @Test func sensitivitiesAgree() throws {
        for item in try Self.cases() {
            let aggregate = try item.aggregate()
            for relation in NeighboringRelation.allCases {
                let key = relation.rawValue.replacing("-", with: "_")
                let expected = item.entry["sensitivity"][key].double
                let found = aggregate.sensitivity(for: relation)
                // Ours is rounded up; the reference's own roundings may put it a few ulps to either side.
                #expect(abs(found - expected) <= 32 * 0x1p-53 * expected, "\(relation)")
            }
        }
    }

    @Test func ignoredPaddingIsNoticed() throws {
        // The control: the same comparison with padding that counts.
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 0)
        let item = try #require(try Self.cases().first { $0.padding.contains(true) })
        var aggregate = try ClippedAggregate(
            item.rule, transform: IdentityTransform(layout: .reference), noiseMultiplier: 0)
        aggregate.add(try item.gradients())
        let sum = try aggregate.privatized(noise: &noise).vector
        let isOff = zip(sum.values, item.entry["sum"].flat).contains { abs(Double($0) - $1) > 1e-3 * abs($1) }
        #expect(isOff)
    }
}
