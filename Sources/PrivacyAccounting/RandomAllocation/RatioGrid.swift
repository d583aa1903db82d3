import Foundation

/// The geometric grids {e^{ih}} that sums of likelihood ratios are kept on: h is the finest spacing times a power of 2,
/// so that the points of a coarser grid are points of each finer one.
///
/// A sum of j independent ratios has the relative standard deviation √(expm1(1/z²)/j). Its grid is finer than that by a
/// constant factor, so that every sum has about as many points. Grids decide how tight a bound is, never its validity.
struct RatioGrid {
    /// z, the noise over the sensitivity.
    let noiseMultiplier: Double
    /// h of level 0.
    let finest: Double

    /// The level of the grid for one ratio.
    let single: Int

    /// The widest spacings, in standard deviations of a logarithm. Spreading a sum onto a grid raises its variance by
    /// about a third of the square; what an upper end is too high, and a lower one too low.
    private static let fineness = 1.0 / 80

    /// The grids for sums of up to `terms` ratios.
    init(noiseMultiplier: Double, terms: Int) {
        self.noiseMultiplier = noiseMultiplier
        let (widest, narrowest) = (1 / noiseMultiplier, Self.deviation(of: terms, noiseMultiplier: noiseMultiplier))
        single = Int(log2(widest / narrowest * (1 - 1e-9)).rounded(.up))
        finest = Self.fineness * widest / Double(sign: .plus, exponent: single, significand: 1)
    }

    /// The standard deviation of the logarithm of a log-normal variable with the moments of a mean of `terms` ratios.
    private static func deviation(of terms: Int, noiseMultiplier z: Double) -> Double {
        log1p(expm1(1 / z / z) / Double(terms)).squareRoot()
    }

    /// The level of the grid for sums of `terms` ratios. It falls with `terms`, down to 0.
    func level(for terms: Int) -> Int {
        if terms == 1 { return single }
        let wanted = Self.fineness * Self.deviation(of: terms, noiseMultiplier: noiseMultiplier)
        return max(0, Int(log2(wanted / finest * (1 + 1e-9))))
    }

    /// h at a level.
    func interval(_ level: Int) -> Double { finest * Double(sign: .plus, exponent: level, significand: 1) }

    /// How many grid points, a power of 2, to go on to the next one that is used, where a sum of `terms` ratios is
    /// e^`logValue`.
    ///
    /// Far above its mean a sum is one large ratio and a small rest, and spread as widely as that one. Where most of it
    /// is that ratio the spacing is that of a single one, which neither grows nor shrinks as terms are added.
    func stride(at logValue: Double, terms: Int) -> Int {
        let share = -expm1(log(Double(terms)) - logValue)
        guard share > 0 else { return 1 }
        return 1 << max(0, single - level(for: terms) + min(0, Int(log2(2 * share).rounded(.down))))
    }
}
