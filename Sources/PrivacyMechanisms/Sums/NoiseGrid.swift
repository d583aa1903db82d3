import PyTrees

/// The numbers of the grid that exact sums are taken on, for plans and reports.
package struct NoiseGrid: Hashable, Sendable {
    /// γ: what a grid unit is worth, before the division by `normalizeBy`.
    package let spacing: Double
    /// M, the sensitivity in grid units.
    package let sensitivity: Double
    /// The noise's standard deviation in grid units, z·M; z·‖C‖₁→₂·M before it is correlated.
    package let noiseStandardDeviation: Double
}

extension NoiseScheme {
    /// The grid of a step's sum under `rule` and noise of multiplier z: for sums over `layout`, or with the least M
    /// that any layout gets.
    ///
    /// Nil without noise, and where sums are in floating point. Throws as making a `ClippedAggregate` does.
    package func grid(
        of rule: ClippingRule, noiseMultiplier z: Double, layout: TreeLayout?
    ) throws(PrivacyMechanismError) -> NoiseGrid? {
        guard mechanism.sums == .exact, z > 0 else { return nil }
        guard z >= leastMultiplier else { throw .noiseTooSmallForGrid(noiseMultiplier: z, least: leastMultiplier) }
        if let layout {
            let grid = try SumGrid(
                ClippingBounds(rule, for: layout), noiseMultiplier: z, amplitude: mechanism.amplitude)
            let deviation = mechanism.deviation(
                noiseMultiplier: z, sensitivity: Double(grid.sensitivity), columns: layout.count)
            guard deviation <= SumGrid.largestDeviation else {
                throw .noiseTooLargeForGrid(noiseMultiplier: z, most: z * SumGrid.largestDeviation / deviation)
            }
            return NoiseGrid(
                spacing: grid.spacing, sensitivity: Double(grid.sensitivity), noiseStandardDeviation: deviation)
        }
        let least = SumGrid.leastSensitivity(noiseMultiplier: z * mechanism.amplitude)
        let bound = try ClippingRule(rule.method, normalizeBy: 1).sensitivity(for: .addOrRemoveOne)
        guard bound < .infinity else { throw .unboundedSensitivity(noiseMultiplier: z) }
        return NoiseGrid(
            spacing: bound / least, sensitivity: least,
            noiseStandardDeviation: mechanism.deviation(noiseMultiplier: z, sensitivity: least, columns: 0))
    }

    /// The least noise multiplier above 0 under which a plan can promise anything: 2⁻¹² where sums are exact.
    package var leastMultiplier: Double {
        guard mechanism.sums == .exact else { return 0 }
        return SumGrid.smallestDeviation / SumGrid.leastSensitivity(noiseMultiplier: 0)
    }

    /// The largest standard deviation that a count of examples can have: 2²⁵ where it is exact.
    package var largestCountDeviation: Double {
        mechanism.sums == .exact ? SumGrid.largestDeviation / 2 : .infinity
    }
}
