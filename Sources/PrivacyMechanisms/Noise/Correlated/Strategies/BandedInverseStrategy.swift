/// C whose inverse has few diagonals: the noise of step t is Σ_{j<p} ĉ_j z_{t−j}, with ĉ₀ = 1.
///
/// To make the noise of a step, p − 1 earlier independent ones are needed and nothing else: where these can be made
/// again, nothing has to be kept.
public struct BandedInverseStrategy: ToeplitzNoiseStrategy {
    package static let kind = "banded-inverse"

    /// ĉ₀ = 1, …, ĉ_{p−1}; those that follow are 0.
    public let noisingCoefficients: [Double]
    /// n.
    public let steps: Int

    /// Throws ``PrivacyMechanismError/invalidStrategy(name:value:allowed:)`` unless `steps` is in 1…2²⁴, and there are
    /// 1…`steps` coefficients, of which the first is 1 and the magnitudes of the others sum to at most 1: then no
    /// coefficient of C is beyond ±1.
    public init(noisingCoefficients: [Double], steps: Int) throws(PrivacyMechanismError) {
        self.steps = try StrategyCheck.steps(steps)
        self.noisingCoefficients = try StrategyCheck.coefficients(
            noisingCoefficients, "noisingCoefficients", steps: steps)
        let sum = noisingCoefficients.dropFirst().reduce(0) { $0 + abs($1) }
        guard sum <= 1 else {
            throw .invalidStrategy(
                name: "The sum of the magnitudes of noisingCoefficients after the first", value: "\(sum)",
                allowed: "at most 1, so that C does not grow")
        }
    }

    /// γ-BIFR: the first p coefficients of (1 − x)^γ, ĉ_j = ĉ_{j−1}(j − 1 − γ)/j (arXiv 2605.18379). γ = 1 and p = 2
    /// are differences: noise that telescopes in prefix sums.
    ///
    /// Throws unless γ is above 0 and at most 1, and as making one does. More terms than steps are left out.
    public static func bifr(gamma: Double, terms: Int, steps: Int) throws(PrivacyMechanismError) -> Self {
        guard gamma > 0, gamma <= 1 else {
            throw .invalidStrategy(name: "gamma", value: "\(gamma)", allowed: "above 0 and at most 1")
        }
        let terms = try StrategyCheck.count(terms, "terms", in: StrategyCheck.steps)
        var coefficients = [Double](repeating: 1, count: min(terms, try StrategyCheck.steps(steps)))
        for j in coefficients.indices.dropFirst() {
            coefficients[j] = coefficients[j - 1] * (Double(j - 1) - gamma) / Double(j)
        }
        return try Self(noisingCoefficients: coefficients, steps: steps)
    }

    /// BISR, the banded inverse square root: γ = ½ (arXiv 2505.12128).
    ///
    /// Throws as ``bifr(gamma:terms:steps:)`` does.
    public static func bisr(terms: Int, steps: Int) throws(PrivacyMechanismError) -> Self {
        try bifr(gamma: 0.5, terms: terms, steps: steps)
    }

    /// λ-CGD: of the noise of the step before, the part λ is taken away again: ĉ = (1, −λ) (arXiv 2601.22334).
    ///
    /// Throws unless λ is above 0 and at most 1, and as making one does.
    public static func lambdaCGD(_ lambda: Double, steps: Int) throws(PrivacyMechanismError) -> Self {
        guard lambda > 0, lambda <= 1 else {
            throw .invalidStrategy(name: "lambda", value: "\(lambda)", allowed: "above 0 and at most 1")
        }
        return try bifr(gamma: lambda, terms: 2, steps: steps)
    }

    /// n, unless C = 1: the powers of what is subtracted never end.
    public var bands: Int { noisingCoefficients.dropFirst().allSatisfy { $0 == 0 } ? 1 : steps }

    /// O(n·p).
    package func coefficients(_ count: Int) -> [Double] {
        ToeplitzSolver(coefficients: noisingCoefficients).solution((0..<count).map { $0 == 0 ? 1 : 0 })
    }

    /// |c_t| with a bound of its error, which follows the recurrence of c: the errors of earlier coefficients, and p
    /// roundings of the sum of p − 1 products. e_t = Σ_{0<j<p} |ĉ_j|(e_{t−j} + p·2⁻⁵³·|c_{t−j}|).
    package func magnitudes(_ count: Int) -> [Double] {
        let c = coefficients(count).map(abs)
        let weights = ToeplitzSolver(coefficients: noisingCoefficients.map { -abs($0) })
        // Twice the bound of first order, which leaves room for the others and for the roundings of e itself.
        let unit = Double(noisingCoefficients.count + 8) * 0x1p-52
        return zip(c, weights.solution(weights.productBelowDiagonal(c).map { -unit * $0 })).map { ($0 + $1).nextUp }
    }

    /// O(n·p).
    package func inverseProduct(_ values: [Double]) -> [Double] {
        let tail = ToeplitzSolver(coefficients: noisingCoefficients).productBelowDiagonal(values)
        return zip(values, tail).map(+)
    }
}

extension BandedInverseStrategy: Codable {
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case noisingCoefficients, steps
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            noisingCoefficients: container.decode([Double].self, forKey: .noisingCoefficients),
            steps: container.decode(Int.self, forKey: .steps))
    }
}

extension CorrelationStrategy {
    /// `"banded-inverse"`.
    public static func bandedInverse(_ strategy: BandedInverseStrategy) -> CorrelationStrategy {
        CorrelationStrategy(strategy)
    }
}
