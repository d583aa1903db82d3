extension ParticipationPattern {
    /// The participation that a strategy's sensitivity is of: one at a time where each is accounted by itself, and can
    /// be amplified by sampling.
    package var strategyParticipation: StrategyParticipation {
        switch choice {
        case .eachStep, .slots, .truncated, .fixedSize: .once
        case .epochs(let length, let participations, let isSameInEach):
            isSameInEach && participations == 1
                ? .epochs(length: length)
                : .separated(participations: max(1, mostParticipations), separation: max(1, leastSeparation))
        }
    }
}
