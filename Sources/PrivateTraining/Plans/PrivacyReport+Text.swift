import Foundation
import PrivacyAccounting

extension PrivacyReport {
    /// The report for people, in lines of at most about a hundred characters.
    public var text: String {
        var lines = ["Privacy report", ""]
        func add(_ name: String, _ value: String) {
            lines.append("  \(name.padding(toLength: 22, withPad: " ", startingAt: 0))\(value)")
        }
        if isSeeded { add("SEEDED", "not private against anyone who knows the seed") }
        add("protects", "each \(unit.rawValue) of \(unitCount), under \(relation.rawValue)")
        for guarantee in guarantees { add("ε by \(guarantee.accountant)", Self.text(guarantee)) }
        if let equivalentMu { add("equivalent μ", Self.rounded(equivalentMu, up: true)) }
        if stepsTaken < plannedSteps {
            let planned = plannedEpsilon.map { $0.isFinite ? "\(Self.rounded($0, up: true))" : "∞" } ?? "no answer"
            add("ε of all steps", "\(planned): holds too if results were looked at to decide when to stop")
        }
        if let budget = epsilonBudget { add("budget", "ε = \(budget) for all steps") }
        // The smallest group: what larger ones have, `group(of:)` says.
        if let pair = group(of: 2) {
            let bound = "\(Self.rounded(pair.epsilon, up: true)) at δ = \(Self.rounded(pair.delta, up: true))"
            add("ε of a group of 2", "\(bound): loose, from the ε of one")
        }
        add("steps", "\(stepsTaken) of \(plannedSteps) planned")
        add("sampling", samplingText)
        add("expected batch size", "N = \(Self.rounded(expectedBatchSize))")
        add("clipping", clipping.method.text)
        add("noise", noise)
        add("noise multiplier", noiseText)
        for (name, value) in strategy?.lines() ?? [] { add(name, value) }
        let bound = sensitivity.map { "Δ = \(Self.rounded($0, up: true)) of the sum over N\(ofFirstStep)" }
        add("sensitivity", bound ?? "unbounded")
        if let noiseStandardDeviation { add("noise deviation", Self.rounded(noiseStandardDeviation) + ofFirstStep) }
        if let normalization {
            let bound = "C = \(Self.rounded(normalization.l2ClipNorm, up: true))"
            let noise = "z = \(Self.rounded(normalization.noiseMultiplier, up: false))"
            add("normalization", "\(normalization.channelCount) channels, \(bound), \(noise): in every ε")
        }
        if let grid {
            add("grid", "γ = \(Self.rounded(grid.spacing)) of the sum, M = \(Self.rounded(grid.sensitivity)) units")
            let slack = "slack s = \(Self.rounded(grid.slack, up: true))"
            add("", "σ = \(Self.rounded(grid.noiseStandardDeviation)) units, \(slack)")
        }
        lines += ["", "Assumes: \(assumption)", "", "Not covered:"]
        lines += notCovered.map { "  - \($0)" }
        lines += ["", versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")]
        return lines.joined(separator: "\n")
    }

    private static func text(_ guarantee: Guarantee) -> String {
        if let refusal = guarantee.refusal { return "no answer. \(refusal)" }
        guard let epsilon = guarantee.epsilon, epsilon.isFinite else { return "∞: not private" }
        let least = guarantee.lowerBound.map { " (and at least \(rounded($0, up: false)))" } ?? ""
        return "\(rounded(epsilon, up: true)) at δ = \(guarantee.delta)\(least)"
    }

    private var samplingText: String {
        guard let users else { return sampling }
        let count = users.examplesPerUser
        return "\(sampling), users by \(users.sampling), each with "
            + (count == 1 ? "one example" : "the mean of up to \(count) examples")
    }

    private var ofFirstStep: String { clipping.adaptive == nil ? "" : ", in the first step" }

    private var noiseText: String {
        let z = "z = \(Self.rounded(noiseMultiplier))"
        guard let adaptive = clipping.adaptive else { return z }
        return z + ": \(Self.rounded(gradientNoiseMultiplier)) for sums, \(adaptive.countNoiseMultiplier) for counts"
    }

    /// Five significant digits; with `up` rounded outward, so that a bound is never shown better than it is, by more
    /// than the last bits that it was itself rounded up by.
    static func rounded(_ value: Double, up: Bool? = nil) -> String {
        let nearest = String(format: "%.5g", value)
        guard let up, value.isFinite, value != 0, let shown = Double(nearest) else { return nearest }
        let slack = 1e-12 * abs(value)
        if up ? shown >= value - slack : shown <= value + slack { return nearest }
        let unit = pow(10, log10(abs(value)).rounded(.down) - 4)
        return String(format: "%.5g", shown + (up ? unit : -unit))
    }
}
