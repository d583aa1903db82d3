import LinearAlgebra
import PyTrees
import Requirements

extension ClippedAggregate {
    /// Adds the noise that the aggregate was made for, and hands the sum out, still in the transformed space.
    ///
    /// Without noise (z = 0) results are rounded toward zero, so that rounding cannot carry a sum past its bound.
    ///
    /// Throws what the noise mechanism throws, and then hands nothing of the sum on. Traps for noise of another kind
    /// than the aggregate was made for.
    public consuming func noised(
        noise: inout Noise
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        if noiseMultiplier == 0 { return withoutNoise() }
        require(
            noise.scheme == self.noise,
            "Noise of kind \(noise.scheme.kind) was given to an aggregate that was made for \(self.noise.kind).")
        return try noise.privatize(self)
    }

    /// The noised sum, taken back to the space of the parameters.
    ///
    /// Throws and traps as `noised` does.
    public consuming func privatized(noise: inout Noise) throws(PrivacyMechanismError) -> PrivateGradient {
        try noised(noise: &noise).inverted()
    }

    /// As `noised`, and writes what adaptive clipping wants to know to `share`: b̃, the noisy share of the expected
    /// batch whose norm was within the bound. One draw for each: neither can be had twice.
    ///
    /// Traps unless the aggregate was told to count.
    package consuming func noised(
        countNoiseMultiplier: Double, share: inout Double, noise: inout Noise
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        guard var count = signedCount else { fail("This aggregate was not told to count examples within the bound.") }
        let (normalizeBy, isNoisy, ranks) = (clipping.normalizeBy, noiseMultiplier > 0, ranks)
        if let ranks { count = ranks.gather(one: Int64(count)).reduce(0) { $0 + Int($1) } }
        let gradient = try noised(noise: &noise)
        var noisy =
            isNoisy ? noise.noisyCount(halves: count, standardDeviation: countNoiseMultiplier) : Double(count) / 2
        if let ranks {
            // Every rank draws, and the number of the first is used.
            let numbers = ranks.gather(one: Int64(bitPattern: noisy.bitPattern))
            noisy = Double(bitPattern: UInt64(bitPattern: numbers[0]))
        }
        share = noisy / normalizeBy + 0.5
        return gradient
    }

    /// z·Δ, the noise's standard deviation in the sum.
    ///
    /// Throws `invalidNoiseMultiplier` if the product leaves Float64's normal range: one that underflows would be no
    /// noise at all.
    func standardDeviation() throws(PrivacyMechanismError) -> Double {
        let sensitivity = sensitivity(for: .addOrRemoveOne)
        if sensitivity == 0 { return 0 }
        let deviation = noiseMultiplier * sensitivity
        guard deviation >= .leastNormalMagnitude, deviation < .infinity else {
            throw .invalidNoiseMultiplier(noiseMultiplier)
        }
        return deviation
    }

    /// Lets a mechanism that takes exact sums write the gradient: `write` adds integer noise, and finishes every column
    /// that is this rank's of the sum, whose memory goes to the next batch. A sum without columns needs no noise.
    consuming func releasedExactly(by write: (ExactRelease) -> Void) -> TransformedGradient<Transform> {
        guard case .exact(let sum, let grid) = sum else {
            fail("Integer noise was asked for a floating-point sum: the aggregate was made for another kind of noise.")
        }
        let memory = gradientMemory()
        let layout = memory.vector.layout
        memory.vector.withUnsafeMutableValues { out in
            guard let base = out.baseAddress else { return }
            let shares = ranks?.shares(ofColumns: out.count) ?? [0..<out.count]
            if let ranks {
                let terms = RankDigest(
                    grid, noiseMultiplier: noiseMultiplier, divisor: clipping.normalizeBy, scale: form.scale)
                sum.reduce(over: ranks, on: grid, terms: terms)
            }
            scale.withUnsafeValues(matching: layout) { scale in
                write(
                    ExactRelease(
                        sum: sum, grid: grid, unit: grid.spacing / clipping.normalizeBy, scale: scale, out: base,
                        columns: shares[ranks?.rank ?? 0]))
            }
            if isGathered { ranks.map { $0.allGather(base, shares: shares) } }
        }
        workspace?.giveBack(sum)
        return TransformedGradient(memory, transform: transform, form: form, scattered: isGathered ? nil : ranks)
    }

    /// Lets a mechanism that takes floating-point sums write the gradient: `write` adds noise to sum · factor · scale,
    /// the diagonal of the transform where it has one, and sets the sum to zero, whose memory goes to the next batch.
    consuming func released(
        by write: (
            _ sum: AlignedStorage<Double>, _ factor: Double, _ scale: ParameterVector?,
            _ gradient: inout ParameterVector
        ) -> Void
    ) -> TransformedGradient<Transform> {
        guard case .floatingPoint(let sum) = sum else {
            fail("Floating-point noise was asked for an exact sum: the aggregate was made for another kind of noise.")
        }
        let memory = gradientMemory()
        write(sum, 1 / clipping.normalizeBy, scale, &memory.vector)
        workspace?.giveBack(sum)
        return TransformedGradient(memory, transform: transform, form: form)
    }

    /// The sum without its noise, divided by `normalizeBy`, as the noise would find it. **Not private**: for tests and
    /// benchmarks.
    package consuming func nonPrivateSum() -> ParameterVector {
        guard case .exact = sum else { return withoutNoise().vector }
        return releasedExactly { release in
            release.finish(release.columns, noise: [Int32](repeating: 0, count: release.columns.count))
        }.vector
    }

    private consuming func withoutNoise() -> TransformedGradient<Transform> {
        released { sum, factor, scale, gradient in
            let layout = gradient.layout
            gradient.withUnsafeMutableValues { out in
                guard let base = out.baseAddress else { return }
                scale.withUnsafeValues(matching: layout) { scale in
                    Kernels.active.narrow_toward_zero(sum.base, factor, scale, out.count, base)
                }
            }
            sum.buffer.update(repeating: 0)
        }
    }

    private var scale: ParameterVector? {
        if case .diagonal(let diagonal) = form { diagonal } else { nil }
    }

    private func gradientMemory() -> GradientMemory {
        workspace?.takeGradient(layout: bounds.layout) ?? GradientMemory(ParameterVector(zeros: bounds.layout))
    }
}
