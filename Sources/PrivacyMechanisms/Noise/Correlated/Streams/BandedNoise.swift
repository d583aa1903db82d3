import LinearAlgebra
import PyTrees
import Requirements

/// Discrete noise for banded Toeplitz strategies: what is noised is the combination of sums, not the sum.
///
///     y_t = ⌊Σ_j c_j q_{t−j}⌉ + ξ_t,   x_t = y_t − Σ_{0<j<b} c_j x_{t−j}
///
/// q_t are the integers of step t's sum, ξ_t is from N_ℤ(0, σ²), independent of everything, and x_t·γ/N is released:
/// q_t with noise that is correlated over steps. x is post-processing of y.
///
/// **Guarantee:** y of all steps together is what ``CorrelatedMechanism/event(of:noiseMultiplier:)`` says, for the
/// numbers that the machine computes, with σ = z·‖C‖·(M·(1 + d) + r), where r = √(bP) for P columns, or 0 for b = 1,
/// and d is the sum of what rounding to multiples of 2⁻¹⁸ changes the coefficients by.
///
/// Proof. Let C′ be the matrix of the rounded coefficients. For columns at k steps, v their indicator, ‖(C′ − C)v‖ is
/// at most d·√k. As c₀ = 1, sens(C)² is at least the trace of k of the diagonal elements of CᵀC, and those are at least
/// 1: so √k ≤ sens(C), and sens(C′) ≤ sens(C)·(1 + d). Let D_t be the difference of the integers ⌊…⌉ for neighbouring
/// data, given all y before, and u_t that of the q_t: zero but in an example's steps, and then of norm at most M. ⌊…⌉
/// is the rounded value of an exact linear combination (see `add_split_multiple`), so that in a column |D_t| is at most
/// |Σ_j c′_j u_{t−j}| + 1 if any u_{t−j} is not zero, and 0 otherwise. That is the case in at most kb steps, so that
/// ‖D‖ ≤ sens(C′)·M + √(kbP) ≤ sens(C)·(M(1 + d) + r). The last factor times z·‖C‖ is σ.
///
/// - Note: the last b − 1 un-noised sums are kept, in memory and in checkpoints. They are as secret as the data.
struct BandedNoise: ~Copyable, CorrelatedNoiseState {
    private let mechanism: CorrelatedMechanism
    /// c₀ = 1, ….
    private let coefficients: [Double]
    private var window: NoiseWindow
    private var noise: DiscreteGaussianNoise
    /// q and x of the last b − 1 steps of the window: that of step t in place t mod (b − 1).
    private var sums: [AlignedStorage<Double>] = []
    private var results: [AlignedStorage<Float>] = []

    init(
        _ mechanism: CorrelatedMechanism, _ coefficients: [Double], resuming checkpoint: CorrelatedCheckpoint?,
        nonPrivateSeed seed: UInt64?
    ) {
        self.mechanism = mechanism
        self.coefficients = coefficients
        window = checkpoint?.window ?? NoiseWindow(of: mechanism)
        noise =
            seed.map { DiscreteGaussianNoise(nonPrivateSeed: $0, resumingAt: checkpoint?.position ?? 0) }
            ?? DiscreteGaussianNoise()
        guard let checkpoint, let layout = window.layout, memory > 0, !checkpoint.vectors.isEmpty else { return }
        sums = (0..<memory).map { _ in AlignedStorage(zeros: layout.count) }
        results = (0..<memory).map { _ in AlignedStorage(zeros: layout.count) }
        for (age, (sum, result)) in zip(checkpoint.vectors, checkpoint.results).reversed().enumerated() {
            let step = (window.place - 1 - age) % memory
            sums[step] = sum.values
            result.withUnsafeValues { values in
                if let base = values.baseAddress { results[step].base.update(from: base, count: values.count) }
            }
        }
    }

    /// How many steps are kept.
    private var memory: Int { coefficients.count - 1 }

    mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        let grid = batch.exactGrid
        let place = try window.enter(batch, on: grid)
        let z = batch.noiseMultiplier
        let deviation = mechanism.deviation(
            noiseMultiplier: z, sensitivity: Double(grid.sensitivity), columns: batch.columns)
        guard deviation <= SumGrid.largestDeviation else {
            throw .noiseTooLargeForGrid(noiseMultiplier: z, most: z * SumGrid.largestDeviation / deviation)
        }
        // Another window may be of other columns.
        if memory > 0, sums.first?.count != batch.columns {
            sums = (0..<memory).map { _ in AlignedStorage(zeros: batch.columns) }
            results = (0..<memory).map { _ in AlignedStorage(zeros: batch.columns) }
        }
        window.leave()
        let columns = batch.columns
        return batch.releasedExactly { release in
            let table = noise.table(sigma: deviation)
            let step = BandedStep(coefficients: coefficients, place: place, sums: sums, results: results)
            noise.forEachChunk(of: columns, at: release.columns, table) { noise, columns in
                step.finish(release, columns, noise: noise)
            }
        }
    }

    borrowing func checkpoint() -> NoiseCheckpoint {
        var checkpoint = CorrelatedCheckpoint(window: window, position: noise.position)
        if let layout = window.layout {
            let place = window.place
            for step in max(0, place - memory)..<place {
                checkpoint.vectors.append(WideVector(sums[step % memory], layout: layout))
                var result = ParameterVector(zeros: layout)
                result.withUnsafeMutableValues {
                    $0.baseAddress?.update(from: results[step % memory].base, count: layout.count)
                }
                checkpoint.results.append(result)
            }
        }
        return NoiseCheckpoint(checkpoint, of: mechanism)
    }
}

extension BandedNoise {
    /// To the nearest multiple of 2⁻¹⁸, so that products with sums are exact.
    static func rounded(_ coefficients: [Double]) -> [Double] {
        coefficients.map { ($0 * 0x1p18).rounded() * 0x1p-18 }
    }

    /// M·(1 + d) + r, rounded up: what σ is z·‖C‖ times.
    static func sensitivity(_ sensitivity: Double, coefficients: [Double], columns: Int) -> Double {
        let d = zip(coefficients, rounded(coefficients)).reduce(0) { $0 + abs($1.0 - $1.1) }
        let r = coefficients.count == 1 ? 0 : (Double(coefficients.count) * Double(columns)).squareRoot()
        return (sensitivity * (1 + d) + r) * (1 + 0x1p-40)
    }
}

/// One step of ``BandedNoise``.
private struct BandedStep: Sendable {
    /// c, rounded.
    private let coefficients: [Double]
    /// q of the last steps, the latest first, and where this step's goes: in the place of the oldest.
    private let sums: [AlignedStorage<Double>]
    private let sum: AlignedStorage<Double>?
    /// x, in the same order.
    private let results: [AlignedStorage<Float>]
    private let result: AlignedStorage<Float>?

    init(
        coefficients: [Double], place: Int, sums: [AlignedStorage<Double>], results: [AlignedStorage<Float>]
    ) {
        self.coefficients = BandedNoise.rounded(coefficients)
        let steps = (1...max(1, sums.count)).prefix(min(place, sums.count)).map { (place - $0) % sums.count }
        self.sums = steps.map { sums[$0] }
        self.results = steps.map { results[$0] }
        sum = sums.isEmpty ? nil : sums[place % sums.count]
        result = results.isEmpty ? nil : results[place % results.count]
    }

    /// Writes x in the gradient's units to `columns` of the release, and keeps q and x.
    func finish(_ release: ExactRelease, _ columns: Range<Int>, noise: UnsafePointer<Int32>) {
        let (kernels, begin, count) = (Kernels.active, columns.lowerBound, columns.count)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * count) { memory in
            memory.initialize(repeating: 0)
            let (low, high, own) = (memory.baseAddress!, memory.baseAddress! + count, memory.baseAddress! + 2 * count)
            release.sum.take(columns, scale: release.scale, into: own)
            kernels.add_split_multiple(own, count, coefficients[0], high, low)
            for (coefficient, past) in zip(coefficients.dropFirst(), sums) {
                kernels.add_split_multiple(past.base + begin, count, coefficient, high, low)
            }
            // From here on, all is post-processing.
            kernels.round_split(noise, high, count, low)
            for (coefficient, past) in zip(coefficients.dropFirst(), results) {
                kernels.add_multiple(past.base + begin, count, -coefficient, low)
            }
            kernels.scale_and_narrow(low, count, release.unit, release.out + begin)
            if let sum, let result {
                (sum.base + begin).update(from: own, count: count)
                kernels.scale_and_narrow(low, count, 1, result.base + begin)
            }
        }
    }
}
