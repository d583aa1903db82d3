import Foundation

/// A clip norm that follows a quantile of the examples' norms, learned from a noisy count in every step.
///
///     b̃ = (Σ_i (b_i − ½) + σ_b·ξ) / N + ½,    C ← C · exp(−η (b̃ − q)),    z_g = (z⁻² − (2σ_b)⁻²)^(−½)
///
/// with b_i = 1 for an example whose norm is at most C, N the expected batch size, q the quantile aimed at, and η a
/// learning rate. Source: Andrew, Thakkar, McMahan, Ramaswamy, arXiv 1905.03871, algorithm 1 and theorem 1.
///
/// **Guarantee:** a step that releases the clipped sum under noise of multiplier z_g and the count under noise of
/// standard deviation σ_b is one Gaussian mechanism of noise multiplier z: one example moves the sum by at most C and
/// the centred count by at most ½ (both twice that under replace-one), so that the two, each over its standard
/// deviation, move together by at most √(z_g⁻² + (2σ_b)⁻²) = z⁻¹. A padding example is not counted; one that is not
/// finite counts as beyond C.
public struct AdaptiveQuantileClipping: AdaptiveClipping {
    package static let name = "adaptive-quantile"
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    /// C before the first step; between 1e-100 and 1e100. It must not depend on the data.
    public let initialL2ClipNorm: Double
    /// q, the share of examples that should not be clipped, in [0, 1].
    public let quantile: Double
    /// η, finite and not negative; 0.2 in the paper.
    public let learningRate: Double
    /// σ_b, the standard deviation of the noise on the count, in examples; above half of z. The paper takes a twentieth
    /// of the expected batch size.
    public let countNoiseMultiplier: Double

    /// Throws `invalidAdaptiveClipping`, which names the number, if one is outside its range.
    public init(
        initialL2ClipNorm: Double, quantile: Double = 0.5, learningRate: Double = 0.2, countNoiseMultiplier: Double
    ) throws(PrivacyMechanismError) {
        func check(
            _ name: String, _ value: Double, _ range: ClosedRange<Double>
        ) throws(PrivacyMechanismError) {
            guard range.contains(value) else {
                throw .invalidAdaptiveClipping(
                    name: name, value: value, allowed: "between \(range.lowerBound) and \(range.upperBound)")
            }
        }
        try check("initialL2ClipNorm", initialL2ClipNorm, ClippingCheck.constants)
        try check("quantile", quantile, 0...1)
        try check("learningRate", learningRate, 0...1e6)
        try check("countNoiseMultiplier", countNoiseMultiplier, 1e-100...1e100)
        self.initialL2ClipNorm = initialL2ClipNorm
        self.quantile = quantile
        self.learningRate = learningRate
        self.countNoiseMultiplier = countNoiseMultiplier
    }

    /// Making one has checked.
    package func validate() {}

    /// z_g, the noise multiplier of the sum with which sum and count together cost what z costs. Rounded up.
    ///
    /// Throws `invalidNoiseMultiplier` if z is negative or not finite, `invalidAdaptiveClipping` unless σ_b is more
    /// than half of z. z = 0, no privacy, gives 0.
    public func gradientNoiseMultiplier(forTotal z: Double) throws(PrivacyMechanismError) -> Double {
        guard z >= 0, z < .infinity else { throw .invalidNoiseMultiplier(z) }
        if z == 0 { return 0 }
        let share = z / (2 * countNoiseMultiplier)
        guard share < 1 else {
            throw .invalidAdaptiveClipping(
                name: "countNoiseMultiplier", value: countNoiseMultiplier,
                allowed: "above half of the noise multiplier, \(z / 2): the count alone would cost the whole budget")
        }
        return z / ((1 - share) * (1 + share)).squareRoot() * (1 + 0x1p-50)
    }

    /// The clip norm for the next step, from this step's and the noisy share b̃ of examples within it.
    public func nextL2ClipNorm(after clipNorm: Double, noisyShareWithin share: Double) -> Double {
        let next = clipNorm * exp(-learningRate * (share - quantile))
        return min(max(next, ClippingCheck.constants.lowerBound), ClippingCheck.constants.upperBound)
    }

    /// The rule of a step.
    public func rule(l2ClipNorm: Double, normalizeBy: Double) throws(PrivacyMechanismError) -> ClippingRule {
        try .flat(l2ClipNorm: l2ClipNorm, normalizeBy: normalizeBy)
    }

    package var text: String { "C from \(initialL2ClipNorm) toward the \(quantile)-quantile of norms" }
}

extension PlannedClipping {
    /// A clip norm that is learned from noisy counts, which take their share of the budget.
    public static func adaptiveQuantile(_ adaptive: AdaptiveQuantileClipping) -> PlannedClipping {
        PlannedClipping(adaptive)
    }
}

extension AdaptiveQuantileClipping: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case initialL2ClipNorm, quantile, learningRate, countNoiseMultiplier
    }

    /// Decodes and checks: numbers outside their ranges throw `PrivacyMechanismError`, as making it would.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            initialL2ClipNorm: box.decode(Double.self, forKey: .initialL2ClipNorm),
            quantile: box.decodeIfPresent(Double.self, forKey: .quantile) ?? 0.5,
            learningRate: box.decodeIfPresent(Double.self, forKey: .learningRate) ?? 0.2,
            countNoiseMultiplier: box.decode(Double.self, forKey: .countNoiseMultiplier))
    }
}
