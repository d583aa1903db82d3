import Foundation

/// A run of T steps with correlated noise whose privacy loss can be drawn at random, where no closed form is known.
///
/// Outcomes are y = Cx + N(0, z²I): C is lower triangular and Toeplitz, of the strategy's coefficients c₀, c₁, …, x is
/// 1 in the steps that hold the record in question and 0 elsewhere. z is in units of one contribution: the column norm
/// of C is not taken out of it.
///
/// P has the record, Q has not: add-or-remove-one, and replace-special. That contributions of 1 are the worst case for
/// adaptively chosen gradients of norm 1, if no coefficient is negative, is a theorem of the papers (arXiv 2410.06266,
/// 2602.09338), which is relied on here.
public struct SimulatedRun: Sendable {
    let law: any ParticipationLaw

    /// Whether an example's first possible participation is as in the middle of a run.
    public enum Start: String, Codable, Hashable, Sendable {
        /// It can take part in step 0, with the probability of every step.
        case cold
        /// The time since its last participation is distributed as after many steps.
        case warm
    }

    /// Balls in bins: in steps i, i + b, i + 2b, … for one of b = `bins`, chosen uniformly (arXiv 2410.06266). Any
    /// number of coefficients.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless T ≥ 0, b ≥ 1, c₀ > 0, all others are at
    ///   least 0 and finite, and z is in (0, ∞).
    public static func ballsInBins(
        iterations: Int, bins: Int, coefficients: [Double], noiseMultiplier: Double
    ) throws(AccountingError) -> SimulatedRun {
        SimulatedRun(
            law: try BinnedParticipation(
                iterations: iterations, bins: bins, coefficients: coefficients, noiseMultiplier: noiseMultiplier))
    }

    /// b-min-sep: in each step with the probability p = `probability`, but in none of the b − 1 steps after one that it
    /// took part in, b = `separation` (arXiv 2602.09338). At most b coefficients, so that contributions do not overlap.
    /// (`BMinSepSampler` has another law with the same aim: its events are
    /// ``PrivacyEvent/randomAllocated(steps:participations:probability:noiseMultiplier:)``.)
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless T ≥ 0, b ≥ 1, p is in [0, 1], there are 1
    ///   to b coefficients, c₀ > 0 and the others at least 0 and finite, and z is in (0, ∞).
    public static func minimumSeparation(
        iterations: Int, separation: Int, probability: Double, coefficients: [Double], noiseMultiplier: Double,
        start: Start = .cold
    ) throws(AccountingError) -> SimulatedRun {
        SimulatedRun(
            law: try SeparatedParticipation(
                iterations: iterations, separation: separation, probability: probability, coefficients: coefficients,
                noiseMultiplier: noiseMultiplier, start: start))
    }

    /// log dP/dQ of a trajectory of T `outcomes`.
    public func logRatio(_ outcomes: [Double]) -> Double { law.logRatio(outcomes) }

    /// The mean of `count` values of (1 − e^{ε−L})₊ in [0, 1], whose expectation is δ(ε) in one direction: L is the
    /// log ratio under P to remove the record, and less the log ratio under Q to add it.
    func meanExcess(
        epsilon: Double, isRemoved: Bool, count: Int, using generator: inout some RandomNumberGenerator
    ) -> UnitMean {
        var mean = UnitMean()
        var normals = NormalStream()
        for _ in 0..<count {
            var outcomes =
                isRemoved ? law.contributions(using: &generator) : [Double](repeating: 0, count: law.iterations)
            for step in outcomes.indices { outcomes[step] += law.noiseMultiplier * normals.next(using: &generator) }
            let loss = isRemoved ? logRatio(outcomes) : -logRatio(outcomes)
            mean.add(max(0, -expm1(epsilon - loss)))
        }
        return mean
    }
}

/// How an example takes part in a run, and what that contributes to its outcomes.
protocol ParticipationLaw: Sendable {
    /// T.
    var iterations: Int { get }
    /// z.
    var noiseMultiplier: Double { get }

    /// Cx for an x that is drawn at random.
    func contributions(using generator: inout some RandomNumberGenerator) -> [Double]

    /// log dP/dQ of T `outcomes`.
    func logRatio(_ outcomes: [Double]) -> Double
}
