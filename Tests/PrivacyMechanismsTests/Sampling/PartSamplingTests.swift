import Foundation
import Testing

@testable import PrivacyMechanisms

/// **Guarantee:** ranks that sample a part of the data each draw, together, what one rank draws of all: each example by
/// itself, with the same probability.
struct PartSamplingTests {
    /// χ² of the sets that two ranks draw together, of two examples and of one, against those of one rank.
    ///
    /// 4,096 steps; all eight sets have at least 8 expected draws, and of seven degrees of freedom χ² exceeds 61 once
    /// in 10¹⁰.
    private static func chiSquare(_ source: (_ rank: Int) -> SamplingSource) throws -> Double {
        let q = 0.125
        let whole = SamplingScheme.poisson(try PoissonSampler(exampleCount: 3, samplingProbability: q))
        let parts = [2, 1]
        var counts = [Int](repeating: 0, count: 8)
        let steps = 4096
        for step in 0..<steps {
            var drawn = 0
            for (rank, count) in parts.enumerated() {
                let batch = try whole.part(of: count).batch(at: step, from: source(rank))
                for example in batch.examples { drawn |= 1 << (2 * rank + example) }
            }
            counts[drawn] += 1
        }
        return counts.indices.reduce(0) { sum, set in
            let members = Double(set.nonzeroBitCount)
            let expected = Double(steps) * pow(q, members) * pow(1 - q, 3 - members)
            let difference = Double(counts[set]) - expected
            return sum + difference * difference / expected
        }
    }

    @Test func theJointLawIsThatOfOneRank() throws {
        let root = SamplingSource(nonPrivateSeed: 5)
        #expect(try Self.chiSquare(root.ofPart) < 61)
        // The twin: equal keys on all ranks. Each example alone has the right probability, and the first ones of both
        // parts take part together or not at all.
        #expect(try Self.chiSquare { _ in root } > 61)
    }

    /// Neighbouring ranks and steps have nothing in common, nor has the root.
    @Test func keysOfRanksDiffer() throws {
        let root = SamplingSource(nonPrivateSeed: 5)
        let sampler = SamplingScheme.poisson(try PoissonSampler(exampleCount: 256, samplingProbability: 0.5))
        let sources = [root] + (0..<8).map(root.ofPart)
        let batches = sources.flatMap { source in (0..<8).map { sampler.batch(at: $0, from: source).examples } }
        #expect(Set(batches).count == batches.count)
        // Of two independent batches 128 examples are in the same state on average, with a deviation of 8.
        for (index, first) in batches.enumerated() {
            for second in batches[..<index] {
                let other = Set(first).symmetricDifference(second).count
                #expect(abs(Double(other) - 128) < 8 * 8)
            }
        }
        // Steps of a run that goes on have a key that is in no checkpoint, and each rank its own of it.
        let fresh = root.withFreshSteps()
        #expect(fresh.ofPart(1) != fresh.ofPart(2))
        #expect(fresh.ofPart(1) != root.ofPart(1))
    }

    /// The samplers that look at more than one example, or at more than one step.
    @Test func othersAreRefusedWithAReason() throws {
        let owners = [0, 0, 1, 1, 2, 2, 3, 3]
        let samplers: [any BatchSampler] = [
            try UserSampler(owners: owners, samplingProbability: 0.5),
            try CyclicPoissonSampler(exampleCount: 8, bands: 2, samplingProbability: 0.5),
            try BMinSepSampler(exampleCount: 8, separation: 2, samplingProbability: 0.25),
            try TruncatedPoissonSampler(exampleCount: 8, samplingProbability: 0.5, maximumBatchSize: 4),
            try FixedSizeSampler(exampleCount: 8, batchSize: 2),
            try BallsInBinsSampler(exampleCount: 8, bins: 2),
            try RandomAllocationSampler(exampleCount: 8, participations: 2, stepsPerEpoch: 4),
            try ShuffledEpochs(exampleCount: 8, batchSize: 2),
            try SeveralOwnersSampler(
                owners: owners.map { [$0] }, ownerCount: 4, separation: 1, stepsPerEpoch: 4, contributionBound: 2),
        ]
        for sampler in samplers {
            let error = #expect(throws: PrivacyMechanismError.self) { _ = try sampler.part(of: 4) }
            guard case .needsAllExamples(let kind, let reason)? = error else {
                Issue.record("\(type(of: sampler)): \(String(describing: error))")
                continue
            }
            #expect(kind == type(of: sampler).kind && reason.count > 20)
        }
        // These and Poisson's are all that there are.
        #expect(samplers.count + 1 == SamplingScheme.samplers.count)
    }
}
