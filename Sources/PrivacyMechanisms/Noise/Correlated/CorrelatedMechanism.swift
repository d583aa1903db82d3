import PrivacyAccounting

/// Noise that is correlated over steps by a strategy C: that of step t is row t of C⁻¹Z, where the rows of Z are
/// independent Gaussians of standard deviation z·‖C‖₁→₂·Δ.
///
/// z is the noise multiplier of one participation, as it is for independent noise, which is C = 1. Sums are integers on
/// a ``SumGrid`` of sensitivity M; which of two ways they get their noise, the strategy's ``NoiseRecurrence`` says:
///
/// - *bands* (``BandedNoise``): the integers ⌊Σ_j c_j q_{t−j}⌉ get independent discrete Gaussian noise, and what
///   follows is post-processing. ε holds for the numbers that the machine computes.
/// - *combinations* and *buffers* (``CombinedNoise``, ``BufferedNoise``): normals in Float64 are combined, rounded to
///   integers and added. Rounding is post-processing; what ε takes for granted is the arithmetic before it: normals and
///   their combinations with errors of a relative 2⁻⁵⁰, on a grid of 2⁻¹⁰ to 2⁻²⁶ standard deviations.
///
/// With restarts, a strategy of n steps begins anew every n steps, with noise that nothing before has to do with.
package struct CorrelatedMechanism: NoiseMechanism {
    package static let kind = "correlated"

    /// C.
    package let strategy: CorrelationStrategy
    /// Whether the strategy begins anew when its steps have been taken.
    package let restarts: Bool
    let recurrence: NoiseRecurrence
    /// ‖C‖₁→₂.
    let columnNorm: Double
    package let amplitude: Double

    package init(_ strategy: CorrelationStrategy, restarts: Bool = false) {
        self.strategy = strategy
        self.restarts = restarts
        recurrence = strategy.strategy.recurrence
        columnNorm = strategy.columnNorm
        // An eighth is for what rounding adds to the sensitivity of bands: see BandedNoise.
        amplitude = columnNorm * recurrence.largestGrowth(steps: strategy.steps) * 1.125
    }

    package var sums: SumArithmetic { .exact }

    /// A clip norm that changes would change the sensitivity of steps that have noise in common.
    package var allowsChangingSensitivity: Bool { false }

    /// What a run keeps of past steps for each number of a sum, in bytes.
    package var bytesPerParameter: Int { recurrence.bytesPerParameter }

    /// Whether ε holds for the numbers that the machine computes, and not only for Float64 arithmetic without error.
    package var isDiscrete: Bool {
        if case .bands = recurrence { true } else { false }
    }

    /// z·‖C‖₁→₂·M before it is correlated, rounded up; of ``BandedNoise`` with what its roundings add to M.
    package func deviation(noiseMultiplier z: Double, sensitivity: Double, columns: Int) -> Double {
        guard case .bands(let coefficients) = recurrence else {
            return columnNorm * z * sensitivity * (1 + 0x1p-50)
        }
        return columnNorm * z
            * BandedNoise.sensitivity(sensitivity, coefficients: coefficients, columns: columns) * (1 + 0x1p-50)
    }

    /// That of discrete noise in every step, which is more than enough where noise is combined in Float64.
    package func slack(steps: Int) throws(AccountingError) -> ContinuousCoverSlack? {
        try DiscreteGaussianMechanism().slack(steps: steps)
    }

    /// Throws `DecodingError` unless the checkpoint stands within the strategy's window, and has as many vectors of one
    /// layout as steps there need.
    package func check(_ checkpoint: CorrelatedCheckpoint) throws {
        let place = try checkpoint.window.check(length: strategy.steps, restarts: restarts)
        let (vectors, results) =
            switch recurrence {
            case .bands(let coefficients):
                (min(place, coefficients.count - 1), min(place, coefficients.count - 1))
            case .combination(let terms, _): (min(place, terms - 1), 0)
            case .buffers(let decays, _): (place == 0 ? 0 : decays.count, 0)
            }
        let layouts = checkpoint.vectors.map(\.layout) + checkpoint.results.map(\.layout)
        guard checkpoint.vectors.count == vectors, checkpoint.results.count == results,
            layouts.allSatisfy({ $0 == checkpoint.window.layout })
        else {
            throw NoiseWindow.corrupted(
                "\(checkpoint.vectors.count) and \(checkpoint.results.count) vectors of noise and results are there, "
                    + "but must be \(vectors) and \(results), in the layout of the sums.")
        }
    }

    package func stepsTaken(_ checkpoint: CorrelatedCheckpoint) -> Int? { checkpoint.window.taken }

    package func gathered(_ checkpoint: CorrelatedCheckpoint, from ranks: Ranks) -> CorrelatedCheckpoint {
        var checkpoint = checkpoint
        for index in checkpoint.vectors.indices { checkpoint.vectors[index].gather(from: ranks) }
        for index in checkpoint.results.indices { checkpoint.results[index].gather(from: ranks) }
        return checkpoint
    }

    package func begin(nonPrivateSeed seed: UInt64?) -> Noise { state(from: nil, seed) }

    package func resume(from checkpoint: CorrelatedCheckpoint, nonPrivateSeed seed: UInt64?) -> Noise {
        state(from: checkpoint, seed)
    }

    /// As ``begin(nonPrivateSeed:)``; combinations keep past noise in memory rather than draw it again, which changes
    /// nothing but time and memory.
    package func begin(nonPrivateSeed seed: UInt64?, keepsPastNoise: Bool) -> Noise {
        guard keepsPastNoise, case .combination(let terms, let coefficients) = recurrence else {
            return begin(nonPrivateSeed: seed)
        }
        return Noise(
            CombinedNoise(self, terms, coefficients, resuming: nil, nonPrivateSeed: seed, isBuffered: true), of: self)
    }

    private func state(from checkpoint: CorrelatedCheckpoint?, _ seed: UInt64?) -> Noise {
        switch recurrence {
        case .bands(let coefficients):
            Noise(BandedNoise(self, coefficients, resuming: checkpoint, nonPrivateSeed: seed), of: self)
        case .combination(let terms, let coefficients):
            Noise(CombinedNoise(self, terms, coefficients, resuming: checkpoint, nonPrivateSeed: seed), of: self)
        case .buffers(let decays, let weights):
            Noise(BufferedNoise(self, decays, weights, resuming: checkpoint, nonPrivateSeed: seed), of: self)
        }
    }
}

extension CorrelatedMechanism: Hashable {
    /// Whether strategy and restarts are the same: everything else follows from them.
    package static func == (first: CorrelatedMechanism, second: CorrelatedMechanism) -> Bool {
        first.strategy == second.strategy && first.restarts == second.restarts
    }

    /// Hashes strategy and restarts.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(strategy)
        hasher.combine(restarts)
    }
}

extension CorrelatedMechanism: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case strategy, restarts
    }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(except: ["kind"] + CodingKeys.allCases.map(\.stringValue))
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try box.decode(CorrelationStrategy.self, forKey: .strategy),
            restarts: try box.decodeIfPresent(Bool.self, forKey: .restarts) ?? false)
    }

    /// Writes `restarts` only where there are any: a plan has one form.
    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(strategy, forKey: .strategy)
        if restarts { try box.encode(true, forKey: .restarts) }
    }
}

extension NoiseScheme {
    /// The `kind` of correlated noise.
    package static let correlatedKind = CorrelatedMechanism.kind

    /// The scheme itself, or discrete Gaussian noise where that is correlated: for a release beside the steps.
    package var independent: NoiseScheme { correlation == nil ? self : .discreteGaussian }

    /// How noise is correlated; nil where it is independent from step to step.
    package var correlation: CorrelatedMechanism? { mechanism as? CorrelatedMechanism }

    /// Noise that is correlated over steps by `strategy`; with `restarts`, it begins anew when its steps have been
    /// taken.
    public static func correlated(_ strategy: CorrelationStrategy, restarts: Bool = false) -> NoiseScheme {
        NoiseScheme(CorrelatedMechanism(strategy, restarts: restarts))
    }
}
