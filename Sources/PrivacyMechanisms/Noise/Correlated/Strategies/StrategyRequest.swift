import Requirements

/// A kind of strategy, and how much it may cost: what is left open is fitted to a goal.
///
///     {"kind": "banded-toeplitz", "bands": 16}
public enum StrategyRequest: Hashable, Sendable {
    /// Independent noise.
    case identity
    /// A ``ToeplitzStrategy`` of at most `bands` bands, as many as steps at most.
    case bandedToeplitz(bands: Int)
    /// A ``BandedInverseStrategy`` of the first `terms` coefficients of (1 − x)^γ; the best γ if it is nil.
    case bandedInverse(terms: Int, gamma: Double? = nil)
    /// A ``BufferedToeplitzStrategy`` of 1 to 10 buffers; if it is nil, of as many as gain 1 % of error · sens² each.
    case blt(buffers: Int? = nil)
    /// A ``DenseStrategy``, for the mean error over at most 4096 steps. O(n³) for each step of the fit.
    case dense
}

extension StrategyRequest {
    /// The strategy of this kind whose loss on the goal is the least that is found. Deterministic on one machine.
    ///
    /// A banded Toeplitz strategy for goals of one participation at a time is what cyclic Poisson sampling needs: ask
    /// for as many bands as there are groups, and for ``StrategyParticipation/once``.
    ///
    /// - `progress`: called with the number of each step of the fit and a root loss, as
    ///   ``StrategyGoal/rootLoss(of:)`` is.
    /// - Throws: ``PrivacyMechanismError/invalidStrategy(name:value:allowed:)`` for numbers out of range, and a dense
    ///   strategy for the largest error.
    public func fitted(
        to goal: StrategyGoal, progress: (_ iteration: Int, _ rootLoss: Double) -> Void = { _, _ in }
    ) throws(PrivacyMechanismError) -> CorrelationStrategy {
        switch self {
        case .identity: .identity(try IdentityStrategy(steps: goal.steps))
        case .bandedToeplitz(let bands):
            .bandedToeplitz(try BandedToeplitzFit.strategy(bands: bands, goal: goal, progress: progress))
        case .bandedInverse(let terms, let gamma):
            .bandedInverse(
                try BandedInverseFit.strategy(terms: terms, gamma: gamma, goal: goal, progress: progress))
        case .blt(let buffers):
            .blt(try BufferedToeplitzFit.strategy(buffers: buffers, goal: goal, progress: progress))
        case .dense: .dense(try DenseFit(goal).strategy(progress: progress))
        }
    }

    /// The kind of the strategy that is made.
    public var kind: String {
        switch self {
        case .identity: IdentityStrategy.kind
        case .bandedToeplitz: ToeplitzStrategy.kind
        case .bandedInverse: BandedInverseStrategy.kind
        case .blt: BufferedToeplitzStrategy.kind
        case .dense: DenseStrategy.kind
        }
    }
}

extension StrategyRequest: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, bands, terms, gamma, buffers
    }

    /// The kinds of strategies that can be asked for.
    private enum Kind: String, CaseIterable {
        case identity, blt, dense
        case bandedToeplitz = "banded-toeplitz"
        case bandedInverse = "banded-inverse"
    }

    /// Reads a `kind` and the numbers of its case; γ and the number of buffers may be left out. Throws `DecodingError`
    /// for a kind that there is not and a key that the kind does not have. Ranges are checked when it is fitted.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var known = [CodingKeys.kind]
        switch try container.decodeChoice(Kind.self, forKey: .kind) {
        case .bandedToeplitz:
            known += [.bands]
            self = .bandedToeplitz(bands: try container.decode(Int.self, forKey: .bands))
        case .bandedInverse:
            known += [.terms, .gamma]
            self = .bandedInverse(
                terms: try container.decode(Int.self, forKey: .terms),
                gamma: try container.decodeIfPresent(Double.self, forKey: .gamma))
        case .blt:
            known += [.buffers]
            self = .blt(buffers: try container.decodeIfPresent(Int.self, forKey: .buffers))
        case .dense: self = .dense
        case .identity: self = .identity
        }
        try decoder.refuseUnknownKeys(except: known.map(\.stringValue))
    }

    /// Writes what is read.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        switch self {
        case .identity, .dense: break
        case .bandedToeplitz(let bands): try container.encode(bands, forKey: .bands)
        case .bandedInverse(let terms, let gamma):
            try container.encode(terms, forKey: .terms)
            try container.encodeIfPresent(gamma, forKey: .gamma)
        case .blt(let buffers): try container.encodeIfPresent(buffers, forKey: .buffers)
        }
    }
}
