import PrivacyAuditing

/// What an audit is asked for, beside what it trains.
struct AuditRequest {
    /// Nil for as many as fit, up to ``usualCanaries``.
    var canaries: Int?
    var kind: CanaryKind = .gradient
    var runs = 1
    var confidence = 0.95
    /// Nil for the one that fits the plan and the canaries.
    var statistic: AuditStatistic?
    /// Nil for the one that fits the statistic.
    var threshold: ThresholdChoice?
    /// Of the first run; that of each further one is one more.
    var nonPrivateSeed: UInt64?

    static let usualCanaries = 1000

    /// How many canaries there are.
    ///
    /// Throws ``UsageError`` if there is no room for those that were asked for.
    ///
    /// - Parameters:
    ///   - parameterCount: how many of the model's parameters are trained.
    ///   - planned: how many examples the plan is for, canaries among them; nil if it leaves that open.
    func canaryCount(parameterCount: Int, planned: Int?) throws(UsageError) -> Int {
        var limits: [(count: Int, reason: String, remedy: String)] = []
        if case .gradient = kind {
            limits.append(
                (
                    parameterCount, "parameters of the model, of which each canary has one of its own",
                    "several --runs, a --model with more parameters, or --kind label"
                ))
        }
        if let planned { limits.append((planned, "examples of the plan, which canaries are among", "several --runs")) }
        guard let canaries else { return min(Self.usualCanaries, limits.map(\.count).min() ?? .max) }
        for limit in limits where canaries > limit.count {
            throw UsageError(problems: [
                "--canaries is \(canaries), but must be at most \(limit.count), the number of \(limit.reason). Use "
                    + "fewer canaries, or \(limit.remedy)."
            ])
        }
        return canaries
    }
}
