/// A composition, flattened: every mechanism that is run, with how often, and nothing else. What accountants analyse.
///
/// Phases are sorted, and equal ones merged, so that the order of composition cannot change a single bit of a result.
struct Phases {
    /// A mechanism: an event that did not flatten into simpler ones.
    struct Phase: Hashable {
        let event: PrivacyEvent
        let count: Int
    }

    /// The plain Gaussian queries, which compose in closed form.
    private(set) var gaussians = GaussianComposition()
    private(set) var isNonPrivate = false
    private(set) var phases: [Phase] = []
    private var counts: [PrivacyEvent: Int] = [:]

    init(_ event: PrivacyEvent) throws(AccountingError) {
        try add(event, count: 1)
        // Any order of distinct events will do that does not depend on hashes.
        phases = counts.map { Phase(event: $0, count: $1) }.sorted { "\($0.event)" < "\($1.event)" }
    }

    /// The noise multiplier z of the one Gaussian query that the phases are worth, 0 when nothing is protected; nil
    /// when anything else is inside.
    var gaussianNoiseMultiplier: Double? {
        guard phases.isEmpty else { return nil }
        return isNonPrivate ? 0 : 1 / gaussians.inverseVariance.squareRoot()
    }
}

/// What ``EventAnalysis/flatten(into:count:)`` is made of.
extension Phases {
    /// Adds what `event` amounts to.
    mutating func add(_ event: PrivacyEvent, count: Int) throws(AccountingError) {
        guard count > 0 else { return }
        try event.analysis.flatten(into: &self, count: count)
    }

    /// Adds `event` as it is.
    mutating func addMechanism(_ event: PrivacyEvent, count: Int) throws(AccountingError) {
        counts[event] = try Check.sum(counts[event, default: 0], count)
    }

    /// Adds `event` as it is if its noise is finite: without noise nothing is protected, and infinite noise tells
    /// nothing.
    mutating func addMechanism(
        _ event: PrivacyEvent, noiseMultiplier: Double, count: Int
    ) throws(AccountingError) {
        if noiseMultiplier == 0 { isNonPrivate = true }
        if noiseMultiplier > 0, noiseMultiplier.isFinite { try addMechanism(event, count: count) }
    }

    /// Adds what is done to a sample: `inner`, the Gaussian queries of which are merged into one where there is nothing
    /// else, on what `sampling` draws.
    mutating func addSampled(
        _ inner: PrivacyEvent, count: Int, by sampling: (PrivacyEvent) throws(AccountingError) -> PrivacyEvent
    ) throws(AccountingError) {
        let phases = try Phases(inner)
        if let z = phases.gaussianNoiseMultiplier {
            try addMechanism(sampling(.gaussian(noiseMultiplier: z)), noiseMultiplier: z, count: count)
        } else if phases.isNonPrivate {
            addNonPrivate()
        } else {
            try addMechanism(sampling(inner), count: count)
        }
    }

    /// Adds Gaussian queries.
    mutating func addGaussian(noiseMultiplier: Double, count: Int) throws(AccountingError) {
        if noiseMultiplier == 0 { isNonPrivate = true }
        if noiseMultiplier > 0, noiseMultiplier.isFinite {
            try gaussians.add(noiseMultiplier: noiseMultiplier, count: count)
        }
    }

    /// Adds something that is not protected at all.
    mutating func addNonPrivate() { isNonPrivate = true }
}
