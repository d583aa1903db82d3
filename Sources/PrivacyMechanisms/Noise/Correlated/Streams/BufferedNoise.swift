import CPrivacyKernels
import LinearAlgebra
import PyTrees
import Requirements

/// Noise of buffered linear Toeplitz strategies: a buffer of Float64 for each decay.
///
///     x_t = σ·z_t − Σ_j ω_j s_j,  s_j ← θ_j s_j + x_t,  σ = z·‖C‖·M
///
/// ⌊x_t⌉ is added to the integers of step t's sum.
///
/// **Guarantee:** that of ``CombinedNoise``, with errors that decay as the buffers do: at most 2⁻⁴⁸ times the largest
/// number of the window, over 1 − θ.
struct BufferedNoise: ~Copyable, CorrelatedNoiseState {
    private let mechanism: CorrelatedMechanism
    private let decays: [Double]
    private let weights: [Double]
    private var window: NoiseWindow
    private var normals: WideNormals
    /// s, none before the first step.
    private var buffers: [AlignedStorage<Double>]

    init(
        _ mechanism: CorrelatedMechanism, _ decays: [Double], _ weights: [Double],
        resuming checkpoint: CorrelatedCheckpoint?, nonPrivateSeed seed: UInt64?
    ) {
        self.mechanism = mechanism
        (self.decays, self.weights) = (decays, weights)
        window = checkpoint?.window ?? NoiseWindow(of: mechanism)
        normals = WideNormals(nonPrivateSeed: seed, position: checkpoint?.position ?? 0)
        buffers = (checkpoint?.vectors ?? []).map(\.values)
    }

    mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        let grid = batch.exactGrid
        let columns = batch.columns
        if try window.enter(batch, on: grid) == 0 {
            buffers = decays.map { _ in AlignedStorage(zeros: columns) }
        }
        let deviation = mechanism.deviation(
            noiseMultiplier: batch.noiseMultiplier, sensitivity: Double(grid.sensitivity), columns: columns)
        let place = normals.place(of: columns)
        let (source, kernels) = (normals.source, Kernels.active)
        let (decays, weights, buffers) = (decays, weights, buffers)
        window.leave()
        return batch.releasedRounded { numbers, noise in
            source.add(numbers, from: place, factor: deviation, to: noise)
            for (weight, buffer) in zip(weights, buffers) {
                kernels.add_wide_multiple(buffer.base + numbers.lowerBound, numbers.count, -weight, noise)
            }
            for (decay, buffer) in zip(decays, buffers) {
                kernels.decay_and_add(noise, numbers.count, decay, buffer.base + numbers.lowerBound)
            }
        }
    }

    borrowing func checkpoint() -> NoiseCheckpoint {
        var checkpoint = CorrelatedCheckpoint(window: window, position: normals.position)
        if let layout = window.layout, window.place > 0 {
            checkpoint.vectors = buffers.map { WideVector($0, layout: layout) }
        }
        return NoiseCheckpoint(checkpoint, of: mechanism)
    }
}
