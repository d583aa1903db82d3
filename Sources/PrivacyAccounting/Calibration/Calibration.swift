import Foundation

/// Finds the parameter with which an event just meets a budget.
///
/// **Guarantee:** the value returned is one whose ε the accountant itself has computed and found to be at most the
/// target. The search uses monotonicity only to be fast, never to conclude that a value is safe.
public struct Calibration: Sendable {
    /// The accountant that computes ε.
    public let accountant: any PrivacyAccountant
    /// The target ε, finite and positive.
    public let epsilon: Double
    /// The target δ, in [0, 1).
    public let delta: Double
    /// How far, relatively, the result may be from the best one for real-valued parameters.
    public let relativeTolerance: Double

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)``.
    public init(
        _ accountant: any PrivacyAccountant, epsilon: Double, delta: Double, relativeTolerance: Double = 2e-5
    ) throws(AccountingError) {
        guard epsilon > 0, epsilon.isFinite else {
            throw .outOfRange(name: "epsilon", value: "\(epsilon)", allowed: "in (0, ∞)")
        }
        guard relativeTolerance >= 1e-12, relativeTolerance < 1 else {
            throw .outOfRange(name: "relativeTolerance", value: "\(relativeTolerance)", allowed: "in [1e-12, 1)")
        }
        self.accountant = accountant
        self.epsilon = epsilon
        self.delta = try Check.delta(delta)
        self.relativeTolerance = relativeTolerance
    }

    /// The least noise multiplier z, up to the tolerance, for which `event(z)` meets the budget; 0 when no noise is
    /// needed.
    /// - Throws: ``AccountingError/unattainable(parameter:epsilon:delta:best:remedy:)`` when even z = 10⁹ does not.
    public func noiseMultiplier(
        of event: (Double) throws(AccountingError) -> PrivacyEvent
    ) throws(AccountingError) -> Double {
        if try excess(event(0)) <= 0 { return 0 }
        let most = 1e9
        var (low, high) = (1.0, 1.0)
        var (atLow, atHigh) = try (excess(event(1)), 0.0)
        atHigh = atLow
        if atLow > 0 {
            while atHigh > 0 {
                guard high < most else {
                    throw unattainable(
                        "noise multiplier up to 1e9", best: epsilon * exp(atHigh),
                        remedy: "Other parts of the event cost that much: reduce them, or allow a larger ε or δ.")
                }
                (low, atLow) = (high, atHigh)
                high = min(most, high * 4)
                atHigh = try excess(event(high))
            }
        } else {
            while atLow <= 0, low > 1e-6 {
                (high, atHigh) = (low, atLow)
                low /= 4
                atLow = try excess(event(low))
            }
            if atLow <= 0 { return low }
        }
        return try search(safe: high, atSafe: atHigh, unsafe: low, atUnsafe: atLow, event)
    }

    /// The largest sampling probability q in [0, 1], up to the tolerance, for which `event(q)` meets the budget.
    /// - Throws: ``AccountingError/unattainable(parameter:epsilon:delta:best:remedy:)`` when even q = 10⁻¹² does not.
    public func samplingProbability(
        of event: (Double) throws(AccountingError) -> PrivacyEvent
    ) throws(AccountingError) -> Double {
        if try excess(event(1)) <= 0 { return 1 }
        var (high, atHigh) = (1.0, Double.infinity)
        var (low, atLow) = (0.1, try excess(event(0.1)))
        while atLow > 0 {
            guard low > 1e-12 else {
                throw unattainable(
                    "sampling probability down to 1e-12", best: epsilon * exp(atLow),
                    remedy: "Use more noise, fewer iterations, or allow a larger ε or δ.")
            }
            (high, atHigh) = (low, atLow)
            low /= 10
            atLow = try excess(event(low))
        }
        return try search(safe: low, atSafe: atLow, unsafe: high, atUnsafe: atHigh, event)
    }

    /// The largest number of iterations, up to `limit`, found to meet the budget; `limit` itself when that does.
    /// - Throws: ``AccountingError/unattainable(parameter:epsilon:delta:best:remedy:)`` when a single one does not.
    public func iterations(
        upTo limit: Int = 1_000_000_000, of event: (Int) throws(AccountingError) -> PrivacyEvent
    ) throws(AccountingError) -> Int {
        try Check.count(limit, "limit", atLeast: 1)
        let first = try excess(event(1))
        guard first <= 0 else {
            throw unattainable(
                "number of iterations", best: epsilon * exp(first),
                remedy: "One iteration costs that much: use more noise, sample less, or allow a larger ε or δ.")
        }
        var (low, high) = (1, 1)
        while true {
            guard low < limit else { return limit }
            high = low > limit / 4 ? limit : low * 4
            if try excess(event(high)) > 0 { break }
            low = high
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if try excess(event(middle)) <= 0 { low = middle } else { high = middle }
        }
        return low
    }

    /// log(ε(event)/ε): at most 0 exactly when the event meets the budget.
    private func excess(_ event: PrivacyEvent) throws(AccountingError) -> Double {
        let spent = try accountant.epsilon(of: event, delta: delta)
        let excess = log(spent / epsilon)
        if spent <= epsilon { return min(0, excess) }
        // What is not a number meets no budget.
        return excess > 0 ? excess : Double.leastNonzeroMagnitude
    }

    private func unattainable(_ parameter: String, best: Double, remedy: String) -> AccountingError {
        .unattainable(parameter: parameter, epsilon: epsilon, delta: delta, best: best, remedy: remedy)
    }

    /// Narrows [safe, unsafe] in logarithms: false position with the Illinois weights, bisection where that stalls.
    /// Returns a value that was evaluated and met the budget.
    private func search(
        safe: Double, atSafe: Double, unsafe: Double, atUnsafe: Double,
        _ event: (Double) throws(AccountingError) -> PrivacyEvent
    ) throws(AccountingError) -> Double {
        // Not exp(log(safe)), which may be a neighbour that was never evaluated.
        var best = safe
        var (safe, atSafe, unsafe, atUnsafe) = (log(safe), atSafe, log(unsafe), atUnsafe)
        var lastWasSafe: Bool?
        for round in 1...200 where abs(unsafe - safe) > relativeTolerance {
            let isUsable = atSafe.isFinite && atUnsafe.isFinite && round % 8 != 0
            let share = isUsable ? atSafe / (atSafe - atUnsafe) : 0.5
            // Step at least half the tolerance away from either end, so that both ends move.
            let margin = min(0.5, 0.45 * relativeTolerance / abs(unsafe - safe))
            let point = safe + min(1 - margin, max(margin, share)) * (unsafe - safe)
            let candidate = exp(point)
            let value = try excess(event(candidate))
            let isSafe = value <= 0
            if isSafe {
                (safe, atSafe, best) = (point, value, candidate)
                if lastWasSafe == true { atUnsafe *= 0.5 }
            } else {
                (unsafe, atUnsafe) = (point, value)
                if lastWasSafe == false { atSafe *= 0.5 }
            }
            lastWasSafe = isSafe
        }
        return best
    }
}
