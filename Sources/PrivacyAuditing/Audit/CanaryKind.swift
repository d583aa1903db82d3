/// What canaries are.
public enum CanaryKind: Hashable, Sendable {
    /// Gradients far beyond the clip norm in directions that nobody else has; scores are made of all noised sums. An
    /// attacker who sees every step: the strongest.
    case gradient(CanaryDirections, CanaryScoring)
    /// Examples with wrong labels; scores are made of the model that comes out. An attacker who sees that alone: much
    /// weaker.
    case label

    /// Gradients of single parameters, by the likelihood ratio.
    public static var gradient: CanaryKind { .gradient(.coordinates, .likelihoodRatio) }
}
