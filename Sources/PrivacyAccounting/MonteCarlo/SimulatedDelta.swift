import Foundation

/// A bound on δ(ε) that has been found by chance: it holds with ``confidence`` only.
public struct SimulatedDelta: Codable, Hashable, Sendable {
    /// ε.
    public let epsilon: Double
    /// The bound.
    public let delta: Double
    /// The estimate: the larger of both directions' means, near which δ(ε) is likely to be.
    public let estimate: Double
    /// The probability, over the samples, that the bound is not exceeded, at least.
    public let confidence: Double
    /// How many samples of each direction.
    public let sampleCount: Int
}

extension SimulatedDelta {
    /// Reads the numbers and checks them.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            epsilon: try Check.epsilon(box.decode(Double.self, forKey: .epsilon)),
            delta: try Check.probability(box.decode(Double.self, forKey: .delta), "delta"),
            estimate: try Check.probability(box.decode(Double.self, forKey: .estimate), "estimate"),
            confidence: try Check.confidence(box.decode(Double.self, forKey: .confidence)),
            sampleCount: try Check.count(box.decode(Int.self, forKey: .sampleCount), "sampleCount", atLeast: 2))
    }
}

extension Check {
    /// A confidence in (0, 1).
    @discardableResult
    static func confidence(_ value: Double) throws(AccountingError) -> Double {
        guard value > 0, value < 1 else {
            throw .outOfRange(name: "confidence", value: "\(value)", allowed: "in (0, 1)")
        }
        return value
    }
}

extension SimulatedDelta: CustomStringConvertible {
    /// The bound, with what it is worth.
    public var description: String {
        "δ(\(epsilon)) ≤ \(delta) with confidence \(confidence), from \(sampleCount) samples of each direction "
            + "(estimate \(estimate))"
    }
}

extension SimulatedRun {
    /// A bound on δ(ε) from samples, under randomness from the operating system. O(samples · T · b).
    ///
    /// **Guarantee:** with a probability of at least `confidence` the run is (ε, δ)-private, in both directions, each
    /// of which may fail with half of the rest: see `UnitMean.upperBound(failure:)`. Normals are taken to be exact.
    ///
    /// - Warning: of several results the least has a smaller confidence. Choose ε and the number of samples beforehand.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless ε ≥ 0, the confidence is in (0, 1), and
    ///   there are at least two samples.
    public func delta(
        epsilon: Double, confidence: Double, sampleCount: Int
    ) throws(AccountingError) -> SimulatedDelta {
        var generator = SystemWords()
        return try delta(epsilon: epsilon, confidence: confidence, sampleCount: sampleCount, using: &generator)
    }

    /// As ``delta(epsilon:confidence:sampleCount:)``, with samples from `generator`. The guarantee is that of its
    /// randomness: a seed that has been tried before has none.
    public func delta(
        epsilon: Double, confidence: Double, sampleCount: Int, using generator: inout some RandomNumberGenerator
    ) throws(AccountingError) -> SimulatedDelta {
        try Check.epsilon(epsilon)
        try Check.confidence(confidence)
        try Check.count(sampleCount, "sampleCount", atLeast: 2)
        let means = [true, false].map {
            meanExcess(epsilon: epsilon, isRemoved: $0, count: sampleCount, using: &generator)
        }
        // 1 − confidence is exact for what Float64 holds between ½ and 1, and rounded to the nearest below.
        let failure = (1 - confidence) / 2 * (1 - 0x1p-52)
        return SimulatedDelta(
            epsilon: epsilon, delta: means.map { $0.upperBound(failure: failure) }.max()!,
            estimate: means.map(\.value).max()!, confidence: confidence, sampleCount: sampleCount)
    }
}
