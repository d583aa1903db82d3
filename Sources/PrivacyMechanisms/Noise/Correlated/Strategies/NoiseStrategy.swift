import Requirements

/// A strategy matrix C of correlated noise: n × n and lower triangular, with a positive diagonal, for a run of n steps.
///
/// The noise of step t is row t of C⁻¹Z, where the rows of Z are independent Gaussians of standard deviation
/// z · sens(C) · Δ: z is the noise multiplier, and Δ bounds one contribution to one step. C times the released
/// G + C⁻¹Z is CG + Z: a run costs what a Gaussian release of CG costs, also where gradients depend on earlier releases
/// (arXiv 2202.08312, theorem 2.1). C may be scaled by any positive number: the noise stays the same.
///
/// A strategy is plain configuration: it can be compared and coded. n is part of it, because coefficients alone do not
/// say how often somebody can take part. To add one, write a file here and a line in
/// ``CorrelationStrategy/strategies``. The protocol is sealed: a guarantee hangs on every conformer.
///
/// **Guarantee:** of every conformer, for every way to take part and all contributions x_j of norm at most 1, of any
/// sign and direction,
///
/// - ‖Σ_j C[:, i_j] x_jᵀ‖ over the first t rows is at most ``sensitivity(participations:separation:steps:)`` if the
///   steps i_j are at most k, each two at least b apart;
/// - the same is at most ``epochSensitivity(length:steps:)`` if they are i, i + L, i + 2L, …;
/// - C is the matrix whose inverse makes the noise: what rounding its entries can change is in both, but for the
///   inverse of a dense C, which is computed (see ``CombinedNoise``).
package protocol NoiseStrategy: Codable, Hashable, Sendable {
    /// The strategy's name in files.
    static var kind: String { get }

    /// The keys of its numbers in files.
    static var keys: [String] { get }

    /// n.
    var steps: Int { get }

    /// The least b for which C[i][j] = 0 wherever i − j ≥ b; n if C has no bands.
    var bands: Int { get }

    /// What ``sensitivity(participations:separation:steps:)`` is for 1 ≤ k ≤ ⌈t/b⌉ and 1 ≤ b ≤ t ≤ n, where b = t if
    /// k = 1.
    func separatedSensitivity(participations: Int, separation: Int, steps: Int) -> Double

    /// What ``epochSensitivity(length:steps:)`` is for 1 ≤ L < t ≤ n.
    func repeatedSensitivity(length: Int, steps: Int) -> Double

    /// Squared row norms of A·C⁻¹, where A is the n × n matrix of the workload.
    func squaredErrors(on workload: StrategyWorkload) -> SquaredErrors

    /// How the noise of a step is made.
    var recurrence: NoiseRecurrence { get }

    /// C, row after row, with the rounding errors of its entries. O(n²) memory.
    var matrix: [[Double]] { get }
}

extension NoiseStrategy {
    /// ‖C‖₁→₂, the largest norm of a column, rounded up: the sensitivity of one participation.
    package var columnNorm: Double { sensitivity(participations: 1, separation: 1, steps: steps) }

    /// An upper bound of the sensitivity of the leading t × t block for at most k participations, each two at least b
    /// steps apart; k counts for no more than ⌈t/b⌉. Exact, up to rounding, where
    ///
    /// - k = 1, or C has at most b bands: columns that far apart are orthogonal;
    /// - C is Toeplitz with coefficients that are not negative and do not increase (arXiv 2405.13763, theorem 2).
    ///
    /// Traps unless k ≥ 0, b ≥ 1 and 0 ≤ t ≤ n.
    package func sensitivity(participations k: Int, separation b: Int, steps t: Int) -> Double {
        require(
            k >= 0 && b >= 1 && t >= 0 && t <= steps,
            "The sensitivity for \(k) participations, at least \(b) apart in \(t) of \(steps) steps, does not exist.")
        let most = min(k, t.dividedUp(by: b))
        if most == 0 { return 0 }
        return separatedSensitivity(participations: most, separation: most == 1 ? t : b, steps: t)
    }

    /// The sensitivity of the leading t × t block where somebody's steps are i, i + L, i + 2L, … for one i < L: the
    /// largest root of Σ|X[π, π]| over these π, with X = CᵀC. Exact, up to rounding, where no entry of X is negative,
    /// and for k = 1; an upper bound otherwise.
    ///
    /// Traps unless L ≥ 1 and 0 ≤ t ≤ n.
    package func epochSensitivity(length: Int, steps t: Int) -> Double {
        require(
            length >= 1 && t >= 0 && t <= steps,
            "The sensitivity for epochs of \(length) in \(t) of \(steps) steps does not exist.")
        if t <= length { return sensitivity(participations: 1, separation: 1, steps: t) }
        return repeatedSensitivity(length: length, steps: t)
    }
}
