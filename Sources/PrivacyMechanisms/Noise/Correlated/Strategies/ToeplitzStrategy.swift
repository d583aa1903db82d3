/// C with the given coefficients on its first diagonals and 0 below: c₀ = 1, c₁, …, c_{b−1}.
///
/// To make the noise of a step, b − 1 earlier ones are needed: x_t = z_t − Σ_{0<j<b} c_j x_{t−j}
/// (arXiv 2306.08153; 2405.13763).
public struct ToeplitzStrategy: ToeplitzNoiseStrategy {
    package static let kind = "banded-toeplitz"

    /// c₀ = 1, …, c_{b−1}; those that follow are 0. They may be negative.
    public let coefficients: [Double]
    /// n.
    public let steps: Int

    /// Throws ``PrivacyMechanismError/invalidStrategy(name:value:allowed:)`` unless `steps` is in 1…2²⁴, and there are
    /// 1…`steps` coefficients, of which the first is 1 and whose magnitudes sum to at most 2047: combinations of exact
    /// sums are then exact (see `BandedNoise`).
    public init(coefficients: [Double], steps: Int) throws(PrivacyMechanismError) {
        self.steps = try StrategyCheck.steps(steps)
        self.coefficients = try StrategyCheck.coefficients(coefficients, "coefficients", steps: steps)
        let sum = coefficients.reduce(0) { $0 + abs($1) }
        guard sum <= 2047 else {
            throw .invalidStrategy(
                name: "The sum of the magnitudes of coefficients", value: "\(sum)", allowed: "at most 2047")
        }
    }

    /// The strategy whose largest error on prefix sums is least, of all Toeplitz ones, for one participation: the
    /// square root of the matrix of prefix sums, c_k = c_{k−1}(2k − 1)/(2k) (arXiv 2404.16706).
    ///
    /// Throws as making one does.
    public static func optimalForOneParticipation(steps: Int) throws(PrivacyMechanismError) -> ToeplitzStrategy {
        try ToeplitzStrategy(coefficients: squareRoot(try StrategyCheck.steps(steps)), steps: steps)
    }

    /// The first coefficients of (1 − x)^−½.
    static func squareRoot(_ count: Int) -> [Double] {
        var result = [Double](repeating: 1, count: count)
        for k in result.indices.dropFirst() { result[k] = result[k - 1] * (Double(2 * k - 1) / Double(2 * k)) }
        return result
    }

    /// The number of coefficients up to the last that is not 0.
    public var bands: Int { 1 + coefficients.lastIndex { $0 != 0 }! }

    package func coefficients(_ count: Int) -> [Double] {
        (0..<count).map { $0 < coefficients.count ? coefficients[$0] : 0 }
    }

    package func magnitudes(_ count: Int) -> [Double] { coefficients(count).map(abs) }

    /// O(n·b).
    package func inverseProduct(_ values: [Double]) -> [Double] {
        ToeplitzSolver(coefficients: coefficients).solution(values)
    }
}

extension ToeplitzStrategy: Codable {
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case coefficients, steps
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            coefficients: container.decode([Double].self, forKey: .coefficients),
            steps: container.decode(Int.self, forKey: .steps))
    }
}

extension CorrelationStrategy {
    /// `"banded-toeplitz"`.
    public static func bandedToeplitz(_ strategy: ToeplitzStrategy) -> CorrelationStrategy {
        CorrelationStrategy(strategy)
    }
}
