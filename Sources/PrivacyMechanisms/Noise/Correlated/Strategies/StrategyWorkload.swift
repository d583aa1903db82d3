import Requirements

/// What an optimizer makes of the noisy gradients of a run: a lower-triangular Toeplitz matrix A with the coefficients
///
///     w_i = Σ_{j≤i} α^{i−j} β^j
///
/// so that the parameters before step t + 1 are their start minus learning rate times row t of A times the gradients.
/// β = 0 and α = 1 are prefix sums, those of SGD. Momentum β: velocity v ← βv + g. α is what a step's weight decay
/// leaves of the parameters: 1 − learning rate · weight decay (arXiv 2405.13763).
///
/// It decides which strategy is good, and nothing about privacy.
public struct StrategyWorkload: Hashable, Sendable {
    /// β, in [0, 1).
    public let momentum: Double
    /// α, in (0, 1].
    public let retention: Double

    /// Prefix sums: β = 0, α = 1.
    public static let prefixSums = StrategyWorkload(unchecked: 0, 1)

    /// Throws ``PrivacyMechanismError/invalidStrategy(name:value:allowed:)`` unless β is in [0, 1) and α in (0, 1].
    public init(momentum: Double = 0, retention: Double = 1) throws(PrivacyMechanismError) {
        guard (0..<1).contains(momentum) else {
            throw .invalidStrategy(name: "momentum", value: "\(momentum)", allowed: "at least 0 and below 1")
        }
        guard retention > 0, retention <= 1 else {
            throw .invalidStrategy(
                name: "retention", value: "\(retention)",
                allowed: "above 0 and at most 1: 1 - learning rate * weight decay")
        }
        self.init(unchecked: momentum, retention)
    }

    private init(unchecked momentum: Double, _ retention: Double) {
        (self.momentum, self.retention) = (momentum, retention)
    }

    /// w₀, …, w_{count−1}.
    package func coefficients(_ count: Int) -> [Double] {
        var (power, sum) = (1.0, 0.0)
        return (0..<count).map { _ in
            sum = retention * sum + power
            power *= momentum
            return sum
        }
    }

    /// Replaces the columns of a row-major matrix of n rows by their products with A: each is filtered by two one-pole
    /// filters, row by row.
    func apply(toColumnsOf matrix: inout [Double], order n: Int) {
        require(matrix.count == n * n, "\(matrix.count) elements are not a matrix of order \(n).")
        for pole in [momentum, retention] where pole > 0 {
            matrix.withUnsafeMutableBufferPointer { elements in
                for index in elements.indices.dropFirst(n) { elements[index] += pole * elements[index - n] }
            }
        }
    }
}

extension StrategyWorkload: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case momentum, retention
    }

    /// Decodes and checks; a key that is left out is 0 for the momentum and 1 for the retention. Throws
    /// ``PrivacyMechanismError`` as making one would, and `DecodingError` for a key that there is not.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            momentum: container.decodeIfPresent(Double.self, forKey: .momentum) ?? 0,
            retention: container.decodeIfPresent(Double.self, forKey: .retention) ?? 1)
    }
}
