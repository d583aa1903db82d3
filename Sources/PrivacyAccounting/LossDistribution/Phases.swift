/// A composition, flattened: every mechanism that is run, with how often, and nothing else.
///
/// Phases are sorted, and equal ones merged, so that the order of composition cannot change a single bit of a result.
struct Phases {
    struct Phase: Hashable {
        var mechanism: Mechanism
        var count: Int
    }

    /// What remains of an event once compositions and trivial cases are gone.
    enum Mechanism: Hashable {
        case poissonGaussian(probability: Double, noiseMultiplier: Double)
        case laplace(noiseMultiplier: Double)
        case zCDP(rho: Double, xi: Double)
        case withoutReplacementGaussian(sourceSize: Int, sampleSize: Int, noiseMultiplier: Double)
        case truncatedGaussian(datasetSize: Int, probability: Double, batch: Int, noiseMultiplier: Double)
        case other(PrivacyEvent)
    }

    /// Σ count/z² over the plain Gaussian mechanisms, which compose in closed form.
    private(set) var inverseGaussianVariance = 0.0
    private(set) var phases: [Phase] = []
    private(set) var isNonPrivate = false

    init(_ event: PrivacyEvent) throws(AccountingError) {
        var counts: [Mechanism: Int] = [:]
        var gaussians: [Double: Int] = [:]
        try Self.collect(try event.validated(), count: 1, into: &counts, gaussians: &gaussians, &isNonPrivate)
        phases = counts.map { Phase(mechanism: $0, count: $1) }.sorted { "\($0.mechanism)" < "\($1.mechanism)" }
        for z in gaussians.keys.sorted() { inverseGaussianVariance += Double(gaussians[z]!) / z / z }
    }

    private static func collect(
        _ event: PrivacyEvent, count: Int, into counts: inout [Mechanism: Int], gaussians: inout [Double: Int],
        _ isNonPrivate: inout Bool
    ) throws(AccountingError) {
        guard count > 0 else { return }
        func add(_ mechanism: Mechanism) throws(AccountingError) {
            counts[mechanism] = try sum(counts[mechanism, default: 0], count)
        }
        switch event {
        case .noOp: break
        case .nonPrivate: isNonPrivate = true
        case .composedEvent(let events):
            for event in events {
                try collect(event, count: count, into: &counts, gaussians: &gaussians, &isNonPrivate)
            }
        case .selfComposedEvent(let event, let inner):
            let (product, overflow) = count.multipliedReportingOverflow(by: inner)
            guard !overflow else {
                throw .outOfRange(name: "count", value: "\(count) × \(inner)", allowed: "at most \(Int.max)")
            }
            try collect(event, count: product, into: &counts, gaussians: &gaussians, &isNonPrivate)
        case .gaussianEvent(let z):
            if z == 0 { isNonPrivate = true }
            if z > 0, z.isFinite { gaussians[z] = try sum(gaussians[z, default: 0], count) }
        case .laplaceEvent(let b):
            if b == 0 { isNonPrivate = true }
            if b > 0, b.isFinite { try add(.laplace(noiseMultiplier: b)) }
        case .zCDPEvent(let rho, let xi):
            if rho > 0 || xi > 0 { try add(.zCDP(rho: rho, xi: xi)) }
        case .poissonSampledEvent(let probability, let inner):
            // Probability 0 never reads a record, whatever the mechanism inside does with the records it is given.
            if probability == 0 { return }
            if probability == 1 {
                return try collect(inner, count: count, into: &counts, gaussians: &gaussians, &isNonPrivate)
            }
            guard let z = try gaussianEquivalent(of: inner) else { return try add(.other(event)) }
            if z == 0 { isNonPrivate = true }
            if z > 0, z.isFinite { try add(.poissonGaussian(probability: probability, noiseMultiplier: z)) }
        case .sampledWithoutReplacementEvent(let sourceSize, let sampleSize, let inner):
            if sampleSize == 0 { return }
            guard let z = try gaussianEquivalent(of: inner) else { return try add(.other(event)) }
            if z == 0 { isNonPrivate = true }
            if z > 0, z.isFinite {
                try add(
                    .withoutReplacementGaussian(sourceSize: sourceSize, sampleSize: sampleSize, noiseMultiplier: z))
            }
        case .truncatedPoissonSampledGaussianEvent(let size, let probability, let batch, let z):
            if size == 0 || batch == 0 || probability == 0 { return }
            if z == 0 { isNonPrivate = true }
            if z > 0, z.isFinite {
                try add(
                    .truncatedGaussian(datasetSize: size, probability: probability, batch: batch, noiseMultiplier: z))
            }
        case .sampledWithReplacementEvent(_, let sampleSize, _):
            if sampleSize > 0 { try add(.other(event)) }
        }
    }

    /// The noise multiplier of one Gaussian query worth the same as a composition of Gaussian queries on the same
    /// batch: (Σ z_i⁻²)^(−1/2); nil when anything else is inside (arXiv 1812.06210, section 3).
    private static func gaussianEquivalent(of event: PrivacyEvent) throws(AccountingError) -> Double? {
        let inner = try Phases(event)
        guard inner.phases.isEmpty else { return nil }
        if inner.isNonPrivate { return 0 }
        return 1 / inner.inverseGaussianVariance.squareRoot()
    }

    private static func sum(_ a: Int, _ b: Int) throws(AccountingError) -> Int {
        let (total, overflow) = a.addingReportingOverflow(b)
        guard !overflow else {
            throw .outOfRange(name: "count", value: "\(a) + \(b)", allowed: "at most \(Int.max)")
        }
        return total
    }
}

extension Phases.Mechanism {
    /// How the mechanism is named in an error.
    var name: String {
        switch self {
        case .poissonGaussian(let q, let z): "a Gaussian of noise multiplier \(z) on Poisson batches of rate \(q)"
        case .laplace(let b): "a Laplace mechanism of noise multiplier \(b)"
        case .zCDP(let rho, let xi): "zCDP(rho: \(rho), xi: \(xi))"
        case .withoutReplacementGaussian(let n, let m, let z):
            "a Gaussian of noise multiplier \(z) on \(m) of \(n) records sampled without replacement"
        case .truncatedGaussian(let n, let q, let m, let z):
            "a Gaussian of noise multiplier \(z) on Poisson batches of rate \(q) from \(n) records, truncated at \(m)"
        case .other(let event): "\(event)"
        }
    }
}
