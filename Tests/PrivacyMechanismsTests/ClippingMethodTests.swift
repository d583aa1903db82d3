import Foundation
import PrivacyMechanisms
import PyTrees
import Testing

/// What holds for every clipping method, whether a rule or a plan has it.
@Suite struct ClippingMethodTests {
    private static let fixed: [any FixedClipping] = [
        ThresholdClipping(l2ClipNorms: .value(2), rescaleToUnitNorm: false),
        ThresholdClipping(l2ClipNorms: .value(2), rescaleToUnitNorm: true),
        AutomaticClipping(l2ClipNorm: 2, stability: 0.01), PerSampleAdaptiveClipping(l2ClipNorm: 2, stability: 0.1),
    ]

    private static let norms = [1e-30, 1e-3, 0.7, 1.9999999, 2, 2.0000001, 3, 1e3, 1e30]

    /// Whether factor · norm is within the bound for norms that were computed too small by half of the margin.
    private static func bounds(_ method: some FixedClipping) -> Bool {
        let error = 0x1p-23
        return norms.allSatisfy { norm in
            let factor = method.factor(forNorm: norm * (1 - error / 2), clipNorm: 2, margin: 1 - error)
            return factor >= 0 && factor * norm <= method.bound(clipNorm: 2)
        }
    }

    /// **Guarantee:** the margin covers what a computed norm is below the true one. The twin, which does without, is
    /// found out.
    @Test func factorsKeepToTheBound() {
        for method in Self.fixed {
            let isBounded = Self.bounds(method)
            #expect(isBounded, "\(method.text)")
        }
        #expect(!Self.bounds(MarginlessClipping()))
    }

    /// The loop over subtrees gives what the formula gives.
    @Test func tablesAreFactorsOneByOne() {
        for method in Self.fixed {
            var table = Self.norms.map { $0 * $0 }
            let clipNorms = Self.norms.indices.map { [2, 0.5, 1e10][$0 % 3] }
            let expected = zip(table, clipNorms).map {
                method.factor(forNorm: $0.squareRoot(), clipNorm: $1, margin: 0.999)
            }
            table.withUnsafeMutableBufferPointer {
                method.replaceSquaredNorms($0, clipNorms: clipNorms, margin: 0.999)
            }
            #expect(table == expected)
        }
    }

    /// Each method's configuration, in a plan and in a rule, to the letter, and its line in reports.
    private static let forms: [(PlannedClipping, String, String)] = [
        (
            .flat(l2ClipNorm: 1.5), #"{"l2ClipNorm":1.5,"method":"threshold","rescaleToUnitNorm":false}"#,
            "L2 norm at most C = 1.5"
        ),
        (
            .flat(l2ClipNorm: .infinity, rescaleToUnitNorm: true),
            #"{"l2ClipNorm":"inf","method":"threshold","rescaleToUnitNorm":true}"#,
            "L2 norm at most C = inf, rescaled to 1"
        ),
        (
            .perSubtree(l2ClipNorms: ["a": 1, "b": ["c": 0.5]]),
            #"{"l2ClipNorm":{"a":1,"b":{"c":0.5}},"method":"threshold","rescaleToUnitNorm":false}"#,
            "L2 norms by subtree"
        ),
        (
            .automatic(l2ClipNorm: 2, stability: 0.5), #"{"l2ClipNorm":2,"method":"automatic","stability":0.5}"#,
            "automatic, C = 2.0, γ = 0.5"
        ),
        (
            .perSampleAdaptive(l2ClipNorm: 2, stability: 0.5),
            #"{"l2ClipNorm":2,"method":"per-sample-adaptive","stability":0.5}"#,
            "per-sample adaptive, C = 2.0, r = 0.5"
        ),
        (
            .adaptiveQuantile(try! AdaptiveQuantileClipping(initialL2ClipNorm: 2, countNoiseMultiplier: 9)),
            #"{"countNoiseMultiplier":9,"initialL2ClipNorm":2,"learningRate":0.2,"method":"adaptive-quantile","#
                + #""quantile":0.5}"#,
            "C from 2.0 toward the 0.5-quantile of norms"
        ),
    ]

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test func configurationIsToTheLetter() throws {
        for (clipping, file, text) in Self.forms {
            #expect(try Self.json(clipping) == file)
            #expect(try JSONDecoder().decode(PlannedClipping.self, from: Data(file.utf8)) == clipping)
            #expect(clipping.method.text == text)
            // A rule has a divisor, and no clip norm that adapts.
            let decode = { try JSONDecoder().decode(ClippingRule.self, from: Data(file.utf8)) }
            if clipping.adaptive == nil {
                let rule = try clipping.method.initialRule(normalizeBy: 1)
                #expect(try decode() == rule)
                let method = "\"method\":\"\(type(of: clipping.method).name)\","
                #expect(try Self.json(rule) == file.replacing(method, with: method + #""normalizeBy":1,"#))
            } else {
                #expect(throws: DecodingError.self) { try decode() }
            }
        }
        #expect(Set(Self.forms.map { type(of: $0.0.method).name }) == Set(ClippingRule.methods.map { $0.name }))
    }

    @Test func whatAMethodDoesNotHaveIsRefused() {
        for (file, word) in [
            (#"{"method": "automatic", "l2ClipNorm": 1, "stability": 1, "quantile": 1}"#, "no setting 'quantile'"),
            (
                #"{"method": "treshold", "l2ClipNorm": 1}"#,
                "There is no choice 'treshold'. Did you mean 'threshold'? Known are threshold,"
            ),
        ] {
            let error = #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(PlannedClipping.self, from: Data(file.utf8))
            }
            #expect("\(error!)".contains(word))
        }
        #expect(throws: PrivacyMechanismError.self) {
            try JSONDecoder().decode(
                PlannedClipping.self, from: Data(#"{"method": "threshold", "l2ClipNorm": -1}"#.utf8))
        }
    }

    @Test func methodsOutsideTheRegistryTrap() async {
        await #expect(processExitsWith: .failure) { _ = PlannedClipping(MarginlessClipping()) }
        await #expect(processExitsWith: .failure) { _ = try ClippingRule(MarginlessClipping(), normalizeBy: 1) }
        await #expect(processExitsWith: .success) { _ = PlannedClipping.flat(l2ClipNorm: 1) }
    }
}

/// A broken twin: it takes the computed norm for the true one.
private struct MarginlessClipping: FixedClipping {
    static let name = "marginless"
    static let keys: [String] = []
    var l2ClipNorms: PrefixTree<Double> { .value(2) }
    var text: String { "" }

    func validate() {}
    func bound(clipNorm: Double) -> Double { clipNorm }
    func factor(forNorm norm: Double, clipNorm: Double, margin: Double) -> Double { min(1, clipNorm / norm) }
}
