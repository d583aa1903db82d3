import PrivacyMechanisms
import PyTrees
import Testing

/// Single gradients against jax_privacy's `clip_pytree`.
@Suite struct ClippingRuleReferenceTests {
    private struct Case {
        let input: ParameterVector
        let rule: ClippingRule
        let clipped: [Double]
        let norms: JSONValue
        let label: String
    }

    private static func cases() throws -> [Case] {
        try ReferenceValues.load("clipping.json")["clip"].array.map { entry in
            let values = entry["tree"].flat.map { Float($0) }
            return Case(
                input: try ParameterVector(values: values, layout: .reference),
                rule: try .perSubtree(
                    l2ClipNorms: entry["clip_norm"].prefixTree,
                    rescaleToUnitNorm: entry["rescale_to_unit_norm"].bool),
                clipped: entry["clipped"].flat, norms: entry["norm"],
                label: "\(entry["input"].string), \(entry["clip_norm"]), \(entry["rescale_to_unit_norm"].bool)")
        }
    }

    /// The reference computes a norm over 17 squares, a quotient and a product in Float32: at most (17/2 + 4) half-ulps
    /// or 2⁻²⁴ each; ours are reduced by a margin of 2⁻²³ and rounded toward zero by up to 2⁻²³.
    static let relativeTolerance = 12.5 * 0x1p-24 + 2 * 0x1p-23

    @Test func clippedGradientsAgree() throws {
        let cases = try Self.cases()
        #expect(!cases.isEmpty)
        for item in cases {
            let isFinite = item.input.values.allSatisfy(\.isFinite)
            let clipped = try item.rule.clipped(item.input)
            for (index, value) in clipped.values.enumerated() {
                // Where the input is not finite the reference hands on NaN, or clips the finite groups only; here the
                // whole example becomes zero.
                let expected = isFinite ? item.clipped[index] : 0
                #expect(
                    abs(Double(value) - expected) <= Self.relativeTolerance * abs(expected),
                    "\(item.label), element \(index)")
            }
        }
    }

    @Test func normsAgree() throws {
        for item in try Self.cases() {
            var vector = item.input
            let norms = try item.rule.clipReturningNonPrivateNorms(&vector)
            Self.expect(norms, equals: item.norms, item.label)
        }
    }

    private static func expect(_ norms: PrefixTree<Double>, equals expected: JSONValue, _ label: String) {
        switch (norms, expected) {
        case (.children(let norms), .object(let expected)):
            #expect(norms.keys.sorted() == expected.keys.sorted(), "\(label)")
            for (key, child) in norms { if let other = expected[key] { expect(child, equals: other, label) } }
        case (.value(let norm), let expected):
            let expected = expected.double
            let agrees = norm == expected || (norm.isNaN && expected.isNaN)
            #expect(
                agrees || abs(norm - expected) <= relativeTolerance * abs(expected), "\(label): \(norm), \(expected)")
        default: Issue.record("The structure of the norms differs: \(label)")
        }
    }

    @Test func aWrongClipNormIsNoticed() throws {
        // The control: the same comparison with a clip norm that is off by one part in a thousand.
        let item = try #require(try Self.cases().first { $0.label.hasPrefix("random, string(\"0.5\"), false") })
        let clipped = try ClippingRule.flat(l2ClipNorm: 0.5005).clipped(item.input)
        let isOff = zip(clipped.values, item.clipped).contains {
            abs(Double($0) - $1) > Self.relativeTolerance * abs($1)
        }
        #expect(isOff)
    }
}
