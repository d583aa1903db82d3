import Foundation

/// Estimate, verify, release (arXiv 2304.07927): a claim that is released only if a random check passes is private
/// without any "with confidence".
///
/// The check draws m losses of each direction afresh and passes if both means of (1 − e^{ε−L})₊ are at most δ₀. A run
/// whose δ(ε) is τδ₀ or more in some direction passes with a probability of at most q = e^{−m·KL(δ₀‖τδ₀)}, by
/// Chernoff's inequality. What is run only after a check has passed is therefore (ε, δ)-private with
///
///     δ = min_{τ>1} τδ₀ + q(τ)·(1 − τδ₀)
public struct PrivacyVerification: Hashable, Sendable {
    /// ε.
    public let epsilon: Double
    /// δ₀, the mean that passes.
    public let baseDelta: Double
    /// m, for each direction.
    public let sampleCount: Int

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless ε ≥ 0, δ₀ is in (0, 1) and m ≥ 1.
    public init(epsilon: Double, baseDelta: Double, sampleCount: Int) throws(AccountingError) {
        self.epsilon = try Check.epsilon(epsilon)
        guard baseDelta > 0, baseDelta < 1 else {
            throw .outOfRange(name: "baseDelta", value: "\(baseDelta)", allowed: "in (0, 1)")
        }
        self.baseDelta = baseDelta
        self.sampleCount = try Check.count(sampleCount, "sampleCount", atLeast: 1)
    }

    /// δ of a run that is begun only after a check has passed, the check included.
    ///
    /// **Guarantee:** rounded up. Every τ is valid; the search only makes it small.
    public var delta: Double {
        // log τ, in (0, −log δ₀): a scan, and three finer ones around the best of the one before.
        var (low, high) = (0.0, -log(baseDelta))
        var best = 1.0
        for _ in 0..<4 {
            let step = (high - low) / 200
            let least = (1..<200).map { low + Double($0) * step }.min { delta($0) < delta($1) }!
            best = min(best, delta(least) * (1 + 1e-12))
            (low, high) = (max(low, least - step), min(high, least + step))
        }
        return best
    }

    private func delta(_ logFactor: Double) -> Double {
        let larger = baseDelta * exp(logFactor)
        // Rounded up: the entropy of numbers that are close is a difference.
        let entropy = max(0, relativeEntropy(baseDelta, larger) - 0x1p-48)
        return larger + exp(-Double(sampleCount) * entropy) * (1 - larger)
    }

    /// Whether `run` passes a check, under randomness from the operating system.
    public func passes(_ run: SimulatedRun) -> Bool {
        var generator = SystemWords()
        return passes(run, using: &generator)
    }

    /// Whether `run` passes a check with samples from `generator`, which must not have been used to choose the run.
    public func passes(_ run: SimulatedRun, using generator: inout some RandomNumberGenerator) -> Bool {
        [true, false].allSatisfy {
            run.meanExcess(epsilon: epsilon, isRemoved: $0, count: sampleCount, using: &generator).value <= baseDelta
        }
    }

    /// The last of the candidates that pass, of which the first does not pass ends the search; nil if the first fails.
    ///
    /// **Guarantee:** ``delta`` holds for what is run with the result, if candidates are ordered from the most to the
    /// least private: to be released, one that is not private enough must have passed after all that come before, and
    /// so the first of those has passed, once.
    public func last<Candidate>(
        of candidates: some Sequence<Candidate>, using generator: inout some RandomNumberGenerator,
        run: (Candidate) throws(AccountingError) -> SimulatedRun
    ) throws(AccountingError) -> Candidate? {
        var verified: Candidate?
        for candidate in candidates {
            guard passes(try run(candidate), using: &generator) else { break }
            verified = candidate
        }
        return verified
    }
}
