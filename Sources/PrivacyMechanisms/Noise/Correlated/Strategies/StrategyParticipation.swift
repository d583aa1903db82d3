import Requirements

/// Which steps somebody can take part in, as far as a strategy's sensitivity depends on it.
public enum StrategyParticipation: Hashable, Sendable {
    /// In one step: the sensitivity is the norm of a column. This is also what counts where a strategy of at most b
    /// bands is amplified by cyclic Poisson sampling with b groups: each group is accounted by itself.
    case once
    /// In at most `participations` steps, each two at least `separation` apart.
    case separated(participations: Int, separation: Int)
    /// In the steps i, i + L, i + 2L, … for one i < L = `length`: epochs in a fixed order.
    case epochs(length: Int)
}

extension StrategyParticipation {
    /// Throws unless k, b and L are at least 1.
    func check() throws(PrivacyMechanismError) {
        switch self {
        case .once: break
        case .separated(let participations, let separation):
            try StrategyCheck.positive(participations, "participations")
            try StrategyCheck.positive(separation, "separation")
        case .epochs(let length): try StrategyCheck.positive(length, "epochLength")
        }
    }

    /// The number of columns whose sum is the largest in n steps, and their distance, for coefficients that do not
    /// increase; n where there is one.
    func worstColumns(steps n: Int) -> (participations: Int, separation: Int) {
        let (k, b) =
            switch self {
            case .once: (1, n)
            case .separated(let participations, let separation): (participations, separation)
            case .epochs(let length): (n, length)
            }
        let most = min(k, n.dividedUp(by: b))
        return (most, most == 1 ? n : b)
    }
}

extension StrategyParticipation: Codable {
    /// The keys that there can be.
    static let keys = CodingKeys.allCases.map(\.stringValue)

    enum CodingKeys: String, CodingKey, CaseIterable {
        case participations, separation, epochLength
    }

    /// Reads `participations` and `separation`, or `epochLength`; with none of them it is once. Throws
    /// ``PrivacyMechanismError`` for a number out of range, and `DecodingError` for other combinations.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let length = try container.decodeIfPresent(Int.self, forKey: .epochLength) {
            for key in [CodingKeys.participations, .separation] where container.contains(key) {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container,
                    debugDescription: "Epochs have no \(key.stringValue): leave it out, or leave out epochLength.")
            }
            self = .epochs(length: length)
        } else if container.contains(.participations) || container.contains(.separation) {
            self = .separated(
                participations: try container.decode(Int.self, forKey: .participations),
                separation: try container.decode(Int.self, forKey: .separation))
        } else {
            self = .once
        }
        try check()
    }

    /// Writes what is read.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .once: break
        case .separated(let participations, let separation):
            try container.encode(participations, forKey: .participations)
            try container.encode(separation, forKey: .separation)
        case .epochs(let length): try container.encode(length, forKey: .epochLength)
        }
    }
}
