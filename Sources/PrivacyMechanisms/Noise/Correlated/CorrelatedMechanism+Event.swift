import PrivacyAccounting

extension CorrelatedMechanism {
    /// What T steps are accounted as.
    ///
    /// | participation | bands of C | event |
    /// |---|---|---|
    /// | in each of at most K slots with probability r, b steps apart | at most b | K × Poisson(r, Gaussian z) |
    /// | in every b-th step, of those drawn at most m | at most b | ⌈T/b⌉ × truncated Poisson |
    /// | in the same step of each epoch of L | any | Gaussian z·‖C‖/sens_L |
    /// | in one of the L steps of each epoch, or in k of them | any | Gaussian z·‖C‖/sens(k, b) |
    /// | anything | 1 | that of independent noise |
    ///
    /// **Guarantee:** the event is never less than what the steps do. With all random choices of who takes part given,
    /// the steps are post-processing of CG + Z, G the rows of clipped sums, each of which may depend on the rows of CG
    /// + Z before it (arXiv 2202.08312, theorem 2.1).
    ///
    /// - Bands: of an example's slots no two are closer than C has bands, so that the rows of CG that two of its
    ///   participations are in are not the same rows. Of one slot they are ‖C‖ times a contribution along a known
    ///   direction of steps, noise across it tells nothing, and so a slot is one Poisson-sampled Gaussian of multiplier
    ///   z. Where a slot is one of several steps, which of them is taken to be known: convexity makes that a bound.
    /// - Truncation acts within the group whose turn a step is, so that examples that are drawn in another's place move
    ///   rows of the same step.
    /// - Elsewhere participations are counted, none closer than the pattern says, and all of CG is one release of
    ///   sensitivity sens(C)·Δ. Nothing is amplified.
    /// - A run of fewer steps than C's is its leading block. With restarts C is a block for every n steps.
    ///
    /// Throws ``/PrivacyAccounting/AccountingError/notAnalyzed(what:remedy:)`` for a pattern without an analysis: steps
    /// that are drawn independently, or closer than C has bands; and for more steps than C has.
    package func event(
        of pattern: ParticipationPattern, noiseMultiplier z: Double
    ) throws(AccountingError) -> PrivacyEvent {
        guard restarts || pattern.iterations <= strategy.steps else {
            throw .notAnalyzed(
                what: "\(pattern.iterations) steps with a strategy for \(strategy.steps)",
                remedy: "plan a strategy for as many steps, or one that restarts")
        }
        let effective = try effectiveMultiplier(z)
        if strategy.bands == 1 { return try pattern.gaussianEvent(noiseMultiplier: effective) }
        switch pattern.choice {
        case .slots(let most, let separation, let r, _):
            try check(bandsWithin: separation, "slots")
            return try .dpSGD(noiseMultiplier: effective, samplingProbability: r, iterations: most)
        case .truncated(_, _, _, let period):
            try check(bandsWithin: period, "turns")
            return try pattern.gaussianEvent(noiseMultiplier: effective)
        case .epochs(let length, let participations, let isSameInEach):
            if pattern.mostParticipations == 0 || !(z > 0 && z.isFinite) {
                return try pattern.gaussianEvent(noiseMultiplier: effective)
            }
            let norm = sensitivity(steps: pattern.iterations) { steps in
                if isSameInEach, participations == 1 {
                    return strategy.epochSensitivity(length: length, steps: steps)
                }
                // A block that does not begin with an epoch can meet one more.
                let isAligned = pattern.iterations <= strategy.steps || strategy.steps.isMultiple(of: length)
                let epochs = isAligned ? steps.dividedUp(by: length) : (steps + length - 2) / length + 1
                return strategy.sensitivity(
                    participations: min(pattern.mostParticipations, participations * epochs),
                    separation: max(1, pattern.leastSeparation), steps: steps)
            }
            return try .gaussian(noiseMultiplier: effective * (columnNorm / norm) * (1 - 0x1p-50))
        case .eachStep, .fixedSize:
            throw .notAnalyzed(
                what: "noise that is correlated over steps where examples are drawn in every step anew",
                remedy: "choose cyclic-poisson, b-min-sep, balls-in-bins or shuffled-epochs sampling, or a strategy of "
                    + "1 band")
        }
    }

    /// z less what discrete noise differs by from continuous noise.
    private func effectiveMultiplier(_ z: Double) throws(AccountingError) -> Double {
        guard isDiscrete, z > 0, z.isFinite else { return z }
        // The noise has z·‖C‖·M units or more, and ‖C‖ ≥ 1.
        let sigma = min(z * SumGrid.leastSensitivity(noiseMultiplier: z * amplitude), 0x1p24)
        return try ContinuousGaussianCover(sigma: sigma, sensitivity: sigma / z).effectiveNoiseMultiplier
    }

    private func check(bandsWithin separation: Int, _ what: String) throws(AccountingError) {
        guard strategy.bands <= separation else {
            throw .notAnalyzed(
                what: "a strategy of \(strategy.bands) bands under \(what) that are only \(separation) steps apart",
                remedy: "choose at most \(separation) bands, or sampling with at least \(strategy.bands) groups")
        }
    }

    /// The sensitivity of T steps: of the leading block, or with restarts of all blocks together, each with as many
    /// participations as fit in.
    private func sensitivity(steps: Int, ofBlock sensitivity: (Int) -> Double) -> Double {
        let (blocks, rest) = steps.quotientAndRemainder(dividingBy: strategy.steps)
        if blocks == 0 || (blocks == 1 && rest == 0) { return sensitivity(steps) }
        let (whole, part) = (sensitivity(strategy.steps), rest > 0 ? sensitivity(rest) : 0)
        return (Double(blocks) * whole * whole + part * part).squareRoot() * (1 + 0x1p-50)
    }
}
