import LinearAlgebra
import Requirements

/// An affine map of features, channel by channel: z ↦ (z − mean_c)·scale_c for every feature z of channel c.
///
/// With K channels, feature i is of channel i mod K: a place's channels lie beside each other.
public struct ChannelNormalization: Hashable, Sendable {
    /// What is subtracted from each channel: K finite numbers.
    public let means: [Float]
    /// What each channel is then multiplied by: K finite numbers.
    public let scales: [Float]

    /// Traps unless there are as many scales as means, at least one of each, and all are finite.
    public init(means: [Float], scales: [Float]) {
        require(
            means.count == scales.count && !means.isEmpty,
            "\(means.count) means and \(scales.count) scales do not normalise the same channels.")
        require(
            (means + scales).allSatisfy(\.isFinite), "A channel's mean or scale is infinite or not a number.")
        self.means = means
        self.scales = scales
    }

    /// K.
    public var channelCount: Int { means.count }

    /// Normalises every row of `features`. Rows are shared among threads; a row's result depends on that row alone.
    ///
    /// Traps unless the channels divide the columns.
    public func normalize(_ features: inout Matrix) {
        let (rows, columns, channels) = (features.rows, features.columns, channelCount)
        require(
            columns.isMultiple(of: channels), "\(channels) channels do not divide \(columns) features.")
        // Below some 100 microseconds of work, waking a thread costs more than it saves.
        let size = features.count / Threads.workPerThread(1 << 18)
        features.withUnsafeMutableElements { elements in
            // Members write disjoint rows.
            nonisolated(unsafe) let elements = elements
            means.withUnsafeBufferPointer { means in
                scales.withUnsafeBufferPointer { scales in
                    nonisolated(unsafe) let (means, scales) = (means.baseAddress!, scales.baseAddress!)
                    Threads.withTeam(of: size) { member in
                        let own = member.share(of: 0..<rows)
                        guard !own.isEmpty else { return }
                        for first in Swift.stride(
                            from: own.lowerBound * columns, to: own.upperBound * columns, by: channels)
                        {
                            let place = elements.baseAddress! + first
                            for channel in 0..<channels {
                                place[channel] = (place[channel] - means[channel]) * scales[channel]
                            }
                        }
                    }
                }
            }
        }
    }
}

extension ChannelNormalization: Codable {
    private enum CodingKeys: CodingKey, CaseIterable {
        case means, scales
    }

    /// Reads means and scales. Throws `DecodingError` unless they are as many, and finite.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let means = try box.decode([Float].self, forKey: .means)
        let scales = try box.decode([Float].self, forKey: .scales)
        guard means.count == scales.count, !means.isEmpty, (means + scales).allSatisfy(\.isFinite) else {
            throw DecodingError.dataCorruptedError(
                forKey: .scales, in: box,
                debugDescription: "\(means.count) means and \(scales.count) scales must be as many, and finite.")
        }
        self.init(means: means, scales: scales)
    }
}
