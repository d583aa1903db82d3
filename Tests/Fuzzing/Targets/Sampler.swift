import PrivacyMechanisms

@testable import dp

extension FuzzTarget {
    /// A sampler as plans name it: what was read comes back the same, and draws.
    static let sampler = FuzzTarget(
        name: "sampler", seeds: { try FormatSeeds.objects(of: Formats.sampling) }
    ) { bytes in
        let scheme = try roundTrip(SamplingScheme.self, bytes)
        _ = (scheme.kind, scheme.expectedBatchSize, scheme.assumption, scheme.unitCount, scheme.relations)
        if max(scheme.exampleCount, scheme.unitCount) <= 1000 {
            let batch = scheme.batch(at: 3, from: SamplingSource(nonPrivateSeed: 1))
            expect(
                batch.indices.allSatisfy { (0..<scheme.exampleCount).contains($0) }, "A batch has an unknown example.")
        }
        _ = try scheme.participation(in: 12)
    }
}
