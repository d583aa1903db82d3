import CPrivacyKernels
import LinearAlgebra
import PyTrees
import Requirements

/// Noise that is a combination of independent noise of few steps, none of which has to be kept: it is drawn again from
/// its place in a stream.
///
///     x_t = ⌊σ·Σ_j a_j z_{t−j}⌉,  σ = z·‖C‖·M
///
/// in Float64, z_t standard normals, added to the integers of step t's sum.
///
/// **Guarantee:** in real numbers the sums of all steps are rounded values, and so post-processing, of G + C⁻¹Z: what
/// ``CorrelatedMechanism/event(of:noiseMultiplier:)`` says of it holds. What a machine adds to that are errors of
/// normals and combinations of at most (p + 8)·2⁻⁵⁰ times their largest term, before they are rounded to integers, of
/// which a standard deviation has at least 2¹⁰.
///
/// A dense strategy's coefficients are those of a computed inverse, whose error, of a relative n·2⁻⁵³·‖C⁻¹‖·‖C‖, is in
/// no sensitivity: the grid refuses strategies for which it could pass 2⁻²⁵.
///
/// No number of the stream is drawn for two steps: what is drawn again is the same number of the same step. A run that
/// goes on under a fresh key takes the past numbers from its checkpoint.
struct CombinedNoise: ~Copyable, CorrelatedNoiseState {
    private let mechanism: CorrelatedMechanism
    private let terms: Int
    private let coefficients: @Sendable (Int) -> [Double]
    private var window: NoiseWindow
    private var normals: WideNormals
    /// The noise of the last steps of the window, at most p, the latest first.
    private var past: [PastNoise] = []
    /// Whether past noise is kept rather than drawn again.
    private let isBuffered: Bool
    /// Memory of kept noise that nobody needs any longer.
    private var free: AlignedStorage<Double>?

    init(
        _ mechanism: CorrelatedMechanism, _ terms: Int, _ coefficients: @escaping @Sendable (Int) -> [Double],
        resuming checkpoint: CorrelatedCheckpoint?, nonPrivateSeed seed: UInt64?, isBuffered: Bool = false
    ) {
        self.mechanism = mechanism
        self.terms = terms
        self.coefficients = coefficients
        self.isBuffered = isBuffered
        window = checkpoint?.window ?? NoiseWindow(of: mechanism)
        normals = WideNormals(nonPrivateSeed: seed, position: checkpoint?.position ?? 0)
        past = (checkpoint?.vectors ?? []).reversed().map { .kept($0.values) }
    }

    mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        let grid = batch.exactGrid
        let place = try window.enter(batch, on: grid)
        if place == 0 { past = [] }
        if past.count == terms {
            let oldest = past.removeLast()
            if isBuffered, case .kept(let memory) = oldest { free = memory }
        }
        let columns = batch.columns
        let deviation = mechanism.deviation(
            noiseMultiplier: batch.noiseMultiplier, sensitivity: Double(grid.sensitivity), columns: columns)
        past.insert(.drawn(at: normals.place(of: columns)), at: 0)
        // Memory is handed on, so that no two steps can have the same.
        if isBuffered { past[0] = .kept(normals.source.kept(past[0], count: columns, in: free.take())) }
        let terms = zip(coefficients(place), past).map { (factor: deviation * $0, noise: $1) }
        window.leave()
        let source = normals.source
        return batch.releasedRounded { numbers, noise in
            for (factor, past) in terms { source.add(past, numbers, factor: factor, to: noise) }
        }
    }

    borrowing func checkpoint() -> NoiseCheckpoint {
        var checkpoint = CorrelatedCheckpoint(window: window, position: normals.position)
        if let layout = window.layout, window.place > 0 {
            for noise in past.prefix(terms - 1).reversed() {
                checkpoint.vectors.append(WideVector(normals.source.kept(noise, count: layout.count), layout: layout))
            }
        }
        return NoiseCheckpoint(checkpoint, of: mechanism)
    }
}
