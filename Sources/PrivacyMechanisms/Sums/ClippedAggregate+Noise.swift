import PyTrees
import Requirements

extension ClippedAggregate {
    /// Adds noise of standard deviation z·Δ, with Δ the add-or-remove-one sensitivity, and hands the sum out, still in
    /// the transformed space.
    ///
    /// An accountant that works with another relation accounts for it itself; the noise never changes with the
    /// relation.
    ///
    /// Throws what the noise mechanism throws, and then hands nothing of the sum on; Gaussian noise
    /// `invalidNoiseMultiplier` if z is negative or not finite, `unboundedSensitivity` if z > 0 and the clip norm is
    /// infinite.
    public consuming func noised(
        noiseMultiplier: Double, noise: inout Noise
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        try noise.privatize(self, noiseMultiplier: noiseMultiplier)
    }

    /// The noised sum, taken back to the space of the parameters.
    ///
    /// Throws as `noised` does.
    public consuming func privatized(
        noiseMultiplier: Double, noise: inout Noise
    ) throws(PrivacyMechanismError) -> PrivateGradient {
        try noised(noiseMultiplier: noiseMultiplier, noise: &noise).inverted()
    }

    /// As `noised`, and writes what adaptive clipping wants to know to `share`: b̃, the noisy share of the expected
    /// batch whose norm was within the bound. One draw for each: neither can be had twice.
    ///
    /// Traps unless the aggregate was told to count.
    package consuming func noised(
        noiseMultiplier: Double, countNoiseMultiplier: Double, share: inout Double, noise: inout Noise
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        guard let count = signedCount else { fail("This aggregate was not told to count examples within the bound.") }
        let normalizeBy = clipping.normalizeBy
        let gradient = try noised(noiseMultiplier: noiseMultiplier, noise: &noise)
        let noisy = noise.noisyCount(
            Double(count) / 2, standardDeviation: noiseMultiplier == 0 ? 0 : countNoiseMultiplier)
        share = noisy / normalizeBy + 0.5
        return gradient
    }

    /// Lets a noise mechanism write the gradient: `write` adds noise to sum · factor · scale, the diagonal of the
    /// transform where it has one, and sets the sum to zero, whose memory goes to the next batch.
    consuming func released(
        by write: (
            _ sum: borrowing ClippedSum, _ factor: Double, _ scale: ParameterVector?, _ gradient: inout ParameterVector
        ) -> Void
    ) -> TransformedGradient<Transform> {
        var scale: ParameterVector?
        if case .diagonal(let diagonal) = form { scale = diagonal }
        let memory =
            workspace?.takeGradient(layout: bounds.layout) ?? GradientMemory(ParameterVector(zeros: bounds.layout))
        write(sum, 1 / clipping.normalizeBy, scale, &memory.vector)
        workspace?.giveBack(sum.values)
        return TransformedGradient(memory, transform: transform, form: form)
    }
}
