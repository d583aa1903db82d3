import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Testing

@Suite struct ClippingRuleTests {
    /// The property that privacy rests on: the true norm of what comes out, in exact arithmetic.
    private static func violations(
        of rule: ClippingRule, bound: Double, count: Int, clip: (inout [Float]) -> Void
    ) -> [String] {
        AdversarialRows.rows(count: count).compactMap { name, values in
            var clipped = values
            clip(&clipped)
            return ExactSquare(clipped).rootIsAtMost(bound) ? nil : name
        }
    }

    private static func clip(_ values: inout [Float], by rule: ClippingRule) {
        var vector = try! ParameterVector(values: values, layout: flatLayout(values.count))
        try! rule.clip(&vector)
        values = vector.values
    }

    /// What one writes without thinking: everything in Float32.
    private static func clipNaively(_ values: inout [Float], l2ClipNorm: Float) {
        let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let factor = min(1, l2ClipNorm / norm)
        for index in values.indices { values[index] *= factor }
    }

    @Test(arguments: [1, 3, 1_000, 100_003], [0, 1e-100, 1e-40, 1e-10, 0.7, 1, 3.3, 1e10, 1e38])
    func trueNormNeverExceedsTheBound(count: Int, l2ClipNorm: Double) throws {
        let rules: [(ClippingRule, Double)] = [
            (try .flat(l2ClipNorm: l2ClipNorm), l2ClipNorm),
            (try .flat(l2ClipNorm: l2ClipNorm, rescaleToUnitNorm: true), 1),
            (try .automatic(l2ClipNorm: l2ClipNorm), l2ClipNorm),
            (try .perSampleAdaptive(l2ClipNorm: l2ClipNorm), l2ClipNorm),
        ]
        for (rule, bound) in rules {
            #expect(Self.violations(of: rule, bound: bound, count: count) { Self.clip(&$0, by: rule) } == [])
        }
    }

    @Test func trueNormOfTenMillionEntriesNeverExceedsTheBound() throws {
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        #expect(Self.violations(of: rule, bound: 1, count: 10_000_000) { Self.clip(&$0, by: rule) } == [])
    }

    @Test(arguments: [1_000, 10_000_000])
    func aNaiveFloat32ImplementationFailsTheSameTest(count: Int) throws {
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        let violations = Self.violations(of: rule, bound: 1, count: count) { Self.clipNaively(&$0, l2ClipNorm: 1) }
        #expect(!violations.isEmpty)
    }

    @Test func gradientsWithinTheBoundStayAsTheyAre() throws {
        let values: [Float] = [0.3, -0.4, -0.0, .leastNonzeroMagnitude]
        let vector = try ParameterVector(values: values, layout: flatLayout(4))
        let clipped = try ClippingRule.flat(l2ClipNorm: 0.51).clipped(vector)
        #expect(clipped.values.map(\.bitPattern) == values.map(\.bitPattern))
        let unbounded = try ClippingRule.flat(l2ClipNorm: .infinity).clipped(vector)
        #expect(unbounded.values.map(\.bitPattern) == values.map(\.bitPattern))
    }

    @Test func clippingLosesNoMoreThanTheMargin() throws {
        // The margin is 2⁻²³ and some 2⁻⁵³; rounding toward zero takes up to one ulp, 2⁻²³, of each element.
        let least: Double = 1 - 3 * 0x1p-23
        for (name, values) in AdversarialRows.rows(count: 1_000) {
            guard ExactSquare(values).high > 1 else { continue }
            var clipped = values
            Self.clip(&clipped, by: try .flat(l2ClipNorm: 1))
            #expect(ExactSquare(clipped).high.squareRoot() > least, "\(name)")
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func oneNonFiniteElementZeroesTheWholeExample(value: Float) throws {
        let values: [Float] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, value]
        var vector = try ParameterVector(values: values, layout: .reference)
        let rule = try ClippingRule.perSubtree(l2ClipNorms: ["dense": 1, "temperature": 1])
        let norms = try rule.clipReturningNonPrivateNorms(&vector)
        #expect(vector.values.allSatisfy { $0 == 0 })
        #expect(norms["temperature"].map { $0.isNaN || $0 == .infinity } == true)
        #expect(norms["dense"]?.isFinite == true)
    }

    @Test(
        arguments: [-1, -.leastNonzeroMagnitude, .nan, -.infinity, .leastNonzeroMagnitude, 1e-101, 1e101] as [Double])
    func badClipNormsAreRefused(norm: Double) throws {
        for make in [
            { try ClippingRule.flat(l2ClipNorm: norm) }, { try ClippingRule.automatic(l2ClipNorm: norm) },
            { try ClippingRule.perSampleAdaptive(l2ClipNorm: norm) },
        ] {
            let error = #expect(throws: PrivacyMechanismError.self) { _ = try make() }
            guard case .invalidClipNorm(let value, path: .root) = error else {
                Issue.record("\(String(describing: error)) is not about the clip norm.")
                continue
            }
            #expect(value == norm || (value.isNaN && norm.isNaN))
        }
    }

    @Test func aBadClipNormInATreeIsNamed() {
        #expect(throws: PrivacyMechanismError.invalidClipNorm(-2, path: "dense/kernel")) {
            _ = try ClippingRule.perSubtree(l2ClipNorms: ["dense": ["bias": 1, "kernel": -2], "temperature": 1])
        }
    }

    @Test(arguments: [0, -1, .infinity, .nan, 1e-101, 1e101] as [Double])
    func badConstantsAreRefused(value: Double) {
        #expect(throws: PrivacyMechanismError.self) { _ = try ClippingRule.flat(l2ClipNorm: 1, normalizeBy: value) }
        #expect(throws: PrivacyMechanismError.self) { _ = try ClippingRule.automatic(l2ClipNorm: 1, stability: value) }
        #expect(throws: PrivacyMechanismError.self) {
            _ = try ClippingRule.perSampleAdaptive(l2ClipNorm: 1, stability: value)
        }
    }

    @Test func normalizingRulesNeedAFiniteClipNorm() {
        #expect(throws: PrivacyMechanismError.unboundedClipNorm(method: "automatic")) {
            _ = try ClippingRule.automatic(l2ClipNorm: .infinity)
        }
    }

    @Test func clipNormsThatAreNoPrefixAreRefused() throws {
        let rule = try ClippingRule.perSubtree(l2ClipNorms: ["dense": 1, "heat": 1])
        var vector = ParameterVector(zeros: .reference)
        let error = #expect(throws: PrivacyMechanismError.self) { try rule.clip(&vector) }
        guard case .clipNormsDoNotFitLayout = error else {
            Issue.record("\(String(describing: error)) is not about the prefix.")
            return
        }
    }

    @Test func sensitivityIsWhatTheTableSays() throws {
        let layout = TreeLayout.reference
        let prefix: PrefixTree<Double> = ["dense": 3, "temperature": 4]
        let cases: [(ClippingRule, Double)] = [
            (try .flat(l2ClipNorm: 3), 3), (try .flat(l2ClipNorm: 3, normalizeBy: 4), 0.75),
            (try .flat(l2ClipNorm: 3, rescaleToUnitNorm: true), 1),
            (try .flat(l2ClipNorm: 3, rescaleToUnitNorm: true, normalizeBy: 4), 0.25),
            (try .perSubtree(l2ClipNorms: prefix), 5), (try .perSubtree(l2ClipNorms: prefix, normalizeBy: 10), 0.5),
            (try .perSubtree(l2ClipNorms: prefix, rescaleToUnitNorm: true), 2.0.squareRoot()),
            (try .automatic(l2ClipNorm: 3, normalizeBy: 2), 1.5),
            (try .perSampleAdaptive(l2ClipNorm: 3, normalizeBy: 2), 1.5), (try .flat(l2ClipNorm: 0), 0),
            (try .flat(l2ClipNorm: .infinity), .infinity),
            (try .flat(l2ClipNorm: .infinity, rescaleToUnitNorm: true), 1),
        ]
        for (rule, expected) in cases {
            let single = try rule.sensitivity(for: .addOrRemoveOne, layout: layout)
            // Rounded outward: never below, and above by a few ulps at most.
            #expect(single >= expected && single <= expected * (1 + 16 * 0x1p-52), "\(rule)")
            #expect(try rule.sensitivity(for: .replaceSpecial, layout: layout) == single)
            #expect(try rule.sensitivity(for: .replaceOne, layout: layout) == 2 * single)
        }
    }

    @Test func codingKeepsEveryRule() throws {
        let rules: [ClippingRule] = [
            try .flat(l2ClipNorm: 1.5, normalizeBy: 256), try .flat(l2ClipNorm: .infinity, rescaleToUnitNorm: true),
            try .perSubtree(l2ClipNorms: ["dense": ["bias": 0.5, "kernel": .value(.infinity)], "temperature": 0]),
            try .automatic(l2ClipNorm: 1, stability: 0.1), try .perSampleAdaptive(l2ClipNorm: 2, stability: 0.2),
        ]
        for rule in rules {
            let data = try JSONEncoder().encode(rule)
            #expect(try JSONDecoder().decode(ClippingRule.self, from: data) == rule)
        }
    }

    @Test func decodingChecksAsMakingDoes() {
        for text in [
            #"{"method":"threshold","l2ClipNorm":-1}"#, #"{"method":"threshold","l2ClipNorm":1,"normalizeBy":0}"#,
            #"{"method":"automatic","l2ClipNorm":1,"stability":-1}"#,
        ] {
            #expect(throws: PrivacyMechanismError.self) {
                _ = try JSONDecoder().decode(ClippingRule.self, from: Data(text.utf8))
            }
        }
        #expect(throws: DecodingError.self) {
            _ = try JSONDecoder().decode(
                ClippingRule.self, from: Data(#"{"method":"threshold","l2ClipNorm":"many"}"#.utf8))
        }
    }
}
