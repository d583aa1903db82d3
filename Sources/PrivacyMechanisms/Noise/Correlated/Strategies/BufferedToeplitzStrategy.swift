import Requirements

/// BLT, a buffered linear Toeplitz matrix: c₀ = 1 and c_i = Σ_j ω_j θ_j^{i−1}.
///
/// To make the noise of a step, one buffer for each decay is needed: x = z − Σ_j ω_j s_j, then s_j ← θ_j s_j + x
/// (arXiv 2404.16706; 2408.08868). Coefficients are positive and do not increase, so that sensitivities are exact.
public struct BufferedToeplitzStrategy: ToeplitzNoiseStrategy {
    package static let kind = "blt"

    /// More buffers than any fit gains from.
    static let bufferCounts = 1...64

    /// The buffers' decays θ, decreasing.
    public let decays: [Double]
    /// The buffers' weights ω.
    public let weights: [Double]
    /// n.
    public let steps: Int

    /// Throws ``PrivacyMechanismError/invalidStrategy(name:value:allowed:)`` unless `steps` is in 1…2²⁴, there are as
    /// many weights as decays, 1 > θ₁ > θ₂ > … > 0, ω_j > 0 and Σ ω_j/θ_j < 1: then the decays of the inverse are in
    /// (0, 1), too.
    public init(decays: [Double], weights: [Double], steps: Int) throws(PrivacyMechanismError) {
        self.steps = try StrategyCheck.steps(steps)
        _ = try StrategyCheck.count(decays.count, "The number of decays", in: Self.bufferCounts)
        _ = try StrategyCheck.count(weights.count, "The number of weights", in: decays.count...decays.count)
        var (last, sum) = (1.0, 0.0)
        for (index, (decay, weight)) in zip(decays, weights).enumerated() {
            last = try StrategyCheck.number(decay, "decays[\(index)]", above: 0, below: last)
            sum += try StrategyCheck.number(weight, "weights[\(index)]", above: 0, below: 1) / decay
        }
        guard sum < 1 else {
            throw .invalidStrategy(name: "The sum of weights over decays", value: "\(sum)", allowed: "below 1")
        }
        (self.decays, self.weights) = (decays, weights)
    }

    /// n: the powers of a decay never end.
    public var bands: Int { steps }

    /// O(n) for each buffer. Powers end at 1e-150, above the truth: below the normal range arithmetic is slow, and the
    /// sum with c₀ = 1 is the same.
    package func coefficients(_ count: Int) -> [Double] {
        var terms = weights
        return (0..<count).map { index in
            if index == 0 { return 1 }
            let sum = terms.reduce(0, +)
            for j in terms.indices { terms[j] = max(terms[j] * decays[j], 1e-150) }
            return sum
        }
    }

    /// The coefficient of index i is a sum of products of i positive numbers.
    package func magnitudes(_ count: Int) -> [Double] {
        coefficients(count).enumerated().map {
            $0.offset == 0 ? 1 : UpwardRounding.value($0.element, operations: $0.offset + decays.count)
        }
    }

    /// O(n) for each buffer.
    package func inverseProduct(_ values: [Double]) -> [Double] {
        var buffers = [Double](repeating: 0, count: decays.count)
        return values.map { value in
            var x = value
            for j in buffers.indices { x -= weights[j] * buffers[j] }
            for j in buffers.indices { buffers[j] = decays[j] * buffers[j] + x }
            return x
        }
    }

    /// Decays θ̂ and weights ω̂ of C⁻¹, whose coefficients are ĉ₀ = 1 and ĉ_i = Σ_j ω̂_j θ̂_j^{i−1}
    /// (arXiv 2404.16706; 2504.21413): θ₁ > θ̂₁ > θ₂ > θ̂₂ > … > 0, and ω̂_j < 0.
    ///
    /// θ̂ are the eigenvalues of diag(θ) − 1ωᵀ, the roots of 1 + Σ_j ω_j/(x − θ_j): one between each two poles, as it
    /// decreases from +∞ to −∞ there, and one below the least.
    package var inverse: (decays: [Double], weights: [Double]) {
        let roots = decays.indices.map { index in
            var (low, high) = (index + 1 < decays.count ? decays[index + 1] : 0, decays[index])
            while true {
                let middle = low + (high - low) / 2
                if middle <= low || middle >= high { return middle }
                let value = zip(decays, weights).reduce(1) { $0 + $1.1 / (middle - $1.0) }
                if value > 0 { low = middle } else { high = middle }
            }
        }
        return (roots, Self.weights(of: roots, pairedWith: decays))
    }

    /// The weights that make θ the decays of a matrix whose inverse has the decays θ̂:
    /// ω_i = Π_j(θ_i − θ̂_j) / Π_{j≠i}(θ_i − θ_j).
    static func weights(of decays: [Double], pairedWith others: [Double]) -> [Double] {
        decays.indices.map { i in
            decays.indices.reduce(1) { product, j in
                product * (decays[i] - others[j]) / (j == i ? 1 : decays[i] - decays[j])
            }
        }
    }
}

extension BufferedToeplitzStrategy: Codable {
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case decays, weights, steps
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            decays: container.decode([Double].self, forKey: .decays),
            weights: container.decode([Double].self, forKey: .weights),
            steps: container.decode(Int.self, forKey: .steps))
    }
}

extension CorrelationStrategy {
    /// `"blt"`.
    public static func blt(_ strategy: BufferedToeplitzStrategy) -> CorrelationStrategy {
        CorrelationStrategy(strategy)
    }
}
