import LinearAlgebra
import PrivacyMechanisms
import PyTrees

extension PrivateNormalization {
    /// Releases means and variances of all examples of `data`, as the plan that this is part of accounts for.
    ///
    /// **Guarantee:** see ``PrivateNormalization``. Every call is a release of its own.
    ///
    /// Throws what reading the data throws, and `PrivacyMechanismError` for a clip norm that no grid can hold.
    ///
    /// - Parameters:
    ///   - count: N, the number of examples that the plan names.
    ///   - seed: for runs that can be repeated. **Not private.**
    ///   - ranks: each of which has a part of the data, and gets the release; nil for this process alone.
    package func release(
        of data: any Dataset, plannedCount count: Int, noise scheme: NoiseScheme, nonPrivateSeed seed: UInt64?,
        ranks: Ranks? = nil
    ) throws -> ChannelNormalization {
        // Other bits than those of the seeded run's steps.
        var noise = seed.map { Noise(scheme, nonPrivateSeed: ~$0) } ?? Noise(scheme)
        let sums = try aggregate(of: data, plannedCount: count, noise: scheme, ranks: ranks)
            .privatized(noise: &noise).vector.values
        return normalization(from: sums, plannedCount: count)
    }

    /// Σ v / N, not noised.
    func aggregate(
        of data: any Dataset, plannedCount count: Int, noise: NoiseScheme, ranks: Ranks? = nil
    ) throws -> ClippedAggregate<IdentityTransform> {
        let layout = try TreeLayout([("mean", [channelCount]), ("meanSquare", [channelCount])])
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: l2ClipNorm, normalizeBy: Double(count)), transform: IdentityTransform(layout: layout),
            noise: noise, noiseMultiplier: noiseMultiplier, ranks: ranks)
        try ranks.together {
            for begin in stride(from: 0, to: data.count, by: 1024) {
                let examples = try data.examples(at: Array(begin..<min(begin + 1024, data.count)))
                aggregate.add(try DenseRows(statistics(of: examples.inputs), layout: layout))
            }
        }
        return aggregate
    }

    /// v of each row: an examples × 2K matrix, means first. A row's v depends on that row only, in every bit.
    func statistics(of inputs: Matrix) -> Matrix {
        let channels = channelCount
        let weight = Double(channels) / Double(inputs.columns)
        var result = Matrix(rows: inputs.rows, columns: 2 * channels)
        result.withUnsafeMutableElements { target in
            // Members write disjoint rows.
            nonisolated(unsafe) let target = target
            Threads.withTeam(of: inputs.rows) { member in
                var sums = [Double](repeating: 0, count: 2 * channels)
                for row in member.share(of: 0..<inputs.rows) {
                    for index in sums.indices { sums[index] = 0 }
                    inputs.withRow(row) { features in
                        for first in stride(from: 0, to: features.count, by: channels) {
                            for channel in 0..<channels {
                                let value = Double(features[first + channel])
                                sums[channel] += value
                                sums[channels + channel] += value * value
                            }
                        }
                    }
                    for index in sums.indices { target[row * 2 * channels + index] = Float(sums[index] * weight) }
                }
            }
        }
        return result
    }

    /// What noisy means and mean squares make of each channel: post-processing.
    func normalization(from sums: [Float], plannedCount count: Int) -> ChannelNormalization {
        let least = max(noiseMultiplier * l2ClipNorm / Double(count), Double(Float.leastNormalMagnitude))
        let means = Array(sums[..<channelCount])
        let scales = (0..<channelCount).map { channel in
            let mean = Double(means[channel])
            return Float(1 / max(Double(sums[channelCount + channel]) - mean * mean, least).squareRoot())
        }
        return ChannelNormalization(means: means, scales: scales)
    }
}
