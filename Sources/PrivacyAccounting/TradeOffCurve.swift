import Foundation

/// The trade-off curve β(α) of a privacy event, from below: no test that tells the neighbours apart with type I error α
/// has a smaller type II error.
///
/// Made of finitely many (εᵢ, δᵢ) that the event is private for (arXiv 1905.02383, section 2.3):
///
///     β(α) = max over i of max(0, 1 − δᵢ − e^{εᵢ}·α, e^{−εᵢ}·(1 − δᵢ − α))
///
/// Every pair bounds every test, so that more pairs make the curve tighter, and fewer never make it wrong.
///
/// **Guarantee:** ``typeTwoError(typeOneError:)`` is at most the type II error of any test of that type I error,
/// rounding included, if the event is (εᵢ, δᵢ)-private for all i.
public struct TradeOffCurve: Hashable, Sendable {
    /// An (ε, δ) that the event is private for.
    public struct Pair: Hashable, Sendable {
        /// ε, finite.
        public let epsilon: Double
        /// δ.
        public let delta: Double

        /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless ε is in [0, ∞) and δ in [0, 1].
        ///   ε = ∞ bounds no test of a type I error above 0, and what it says of the others depends on who says it.
        public init(epsilon: Double, delta: Double) throws(AccountingError) {
            self.epsilon = try Check.finiteNonNegative(epsilon, "epsilon")
            self.delta = try Check.probability(delta, "delta")
        }
    }

    /// The pairs, without those that are implied for every event: δ = 1.
    public let pairs: [Pair]

    /// The curve of these pairs; β = 0 where there are none.
    public init(_ pairs: [Pair]) {
        self.pairs = pairs.filter { $0.delta < 1 }
    }

    /// A bound on the rounding of one of the lines below where it lies between 0 and 1. Both of its terms are at most 1
    /// there but for rounding, and each comes of at most three operations of half an ulp of 1 and of one exponential
    /// of four ulps: 7·2⁻⁵² in all.
    private static let rounding = 0x1p-49

    /// β(α), from below.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless α is in [0, 1].
    public func typeTwoError(typeOneError alpha: Double) throws(AccountingError) -> Double {
        lowerBound(try Check.probability(alpha, "typeOneError"))
    }

    private func lowerBound(_ alpha: Double) -> Double {
        var best = 0.0
        for pair in pairs {
            // Where e^ε overflows, a type I error of 0 still is bounded.
            let steep = 1 - pair.delta - (alpha == 0 ? 0 : exp(pair.epsilon) * alpha)
            let flat = exp(-pair.epsilon) * (1 - pair.delta - alpha)
            // Down: less is claimed.
            best = max(best, steep - Self.rounding, flat - Self.rounding)
        }
        return best
    }

    /// The corners of the curve from α = 0 to 1: it is made of the straight lines between them, up to rounding.
    public var corners: [(typeOneError: Double, typeTwoError: Double)] {
        // β = height − slope·α.
        var lines: [(slope: Double, height: Double)] = [(0, 0)]
        for pair in pairs {
            let room = 1 - pair.delta
            let steep = exp(pair.epsilon)
            if steep.isFinite { lines.append((steep, room)) }
            lines.append((exp(-pair.epsilon), exp(-pair.epsilon) * room))
        }
        lines.sort { $0.slope == $1.slope ? $0.height > $1.height : $0.slope > $1.slope }
        // The upper envelope from the left, where the steepest of those that can be highest is on top: a line that the
        // next one meets no later than it met the one before is never on top.
        var top: [(slope: Double, height: Double, from: Double)] = []
        for line in lines where line.slope < top.last?.slope ?? .infinity {
            var from = 0.0
            while let last = top.last {
                from = max(0, (last.height - line.height) / (last.slope - line.slope))
                guard from <= last.from else { break }
                top.removeLast()
                from = 0
            }
            if from < 1 { top.append((line.slope, line.height, from)) }
        }
        return (top.map(\.from) + [1]).map { ($0, lowerBound($0)) }
    }
}

extension PrivacyAccountant {
    /// The trade-off curve of an event, from its δ at ε = 0, at the ε of δ = 0 (or of δ = 10⁻¹², where that is
    /// infinite), and evenly between. `points` says how often δ is asked for beside the last ε: at least once.
    ///
    /// **Guarantee:** as ``TradeOffCurve``, for what this accountant's δ and ε hold for.
    /// - Throws: as ``delta(of:epsilon:)``.
    public func tradeOffCurve(of event: PrivacyEvent, points: Int = 32) throws(AccountingError) -> TradeOffCurve {
        try Check.count(points, "points", atLeast: 1)
        var last = try TradeOffCurve.Pair(epsilon: 0, delta: 1)
        for delta in [0, 1e-12] where last.epsilon == 0 {
            let epsilon = try self.epsilon(of: event, delta: delta)
            if epsilon.isFinite { last = try TradeOffCurve.Pair(epsilon: epsilon, delta: delta) }
            if epsilon == 0 { return TradeOffCurve([last]) }
        }
        var pairs = [last]
        for index in 0..<points where index == 0 || last.epsilon > 0 {
            let epsilon = last.epsilon * Double(index) / Double(points)
            pairs.append(try TradeOffCurve.Pair(epsilon: epsilon, delta: delta(of: event, epsilon: epsilon)))
        }
        return TradeOffCurve(pairs)
    }
}
