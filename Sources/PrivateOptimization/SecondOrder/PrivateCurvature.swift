import LinearAlgebra
import PrivacyAccounting
import PrivacyMechanisms

/// A noised bound H̃ on the curvature of a linear model's mean loss: public, as far as its event says.
///
/// H̃ = H + E, E symmetric, with independent elements of deviation s on the diagonal and s/√2 off it.
public struct PrivateCurvature: Sendable {
    /// H̃, symmetric. Its eigenvalues can be negative, as the noise's are.
    public let matrix: Matrix
    /// s = z·βR²/N.
    public let standardDeviation: Double
    /// The kind of the noise.
    public let noise: NoiseScheme
    /// z.
    public let noiseMultiplier: Double

    /// What the release did to the data: that of one step in which every example takes part, to be composed with the
    /// event of the training that uses it.
    ///
    ///     let event = try PrivacyEvent.composed([curvature.event(), plan.event()])
    ///
    /// As that of a plan, it leaves out by how much discrete noise differs from continuous noise: about 2.3·10⁻²² in ε.
    public func event() throws(AccountingError) -> PrivacyEvent {
        try noise.event(
            of: ParticipationPattern(iterations: 1, choice: .eachStep(probability: 1)),
            noiseMultiplier: noiseMultiplier)
    }

    /// λ = s·(√(2d) + 5): H ≼ H̃ + λI but with probability e^(−25/2) < 4·10⁻⁶.
    ///
    /// E is s/√2 times a matrix of the Gaussian orthogonal ensemble, whose largest eigenvalue has a mean of at most 2√d
    /// (Sudakov–Fernique), and is, in units of s, a 1-Lipschitz function of standard normals.
    public var spectralNoiseBound: Double {
        standardDeviation * ((2 * Double(matrix.rows)).squareRoot() + 5)
    }
}
