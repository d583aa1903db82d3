import PyTrees
import Requirements

/// The integer grid on which exact sums are taken, in the transformed space.
///
/// One example may contribute integers of an L2 norm of at most M, the *sensitivity in grid units*. A unit is worth
///
///     γ = ‖C‖ / M
///
/// before the division by `normalizeBy`, where ‖C‖ is the root of the sum of the squared bounds of all groups, and
/// group k may use M_k = M·C_k/‖C‖ of it. M is a power of two: at least 2²², and finer, up to 2²⁶, where a group has so
/// many columns that rounding would cost more than a thousandth of its bound. It is smaller where the noise, of
/// standard deviation z·M times the mechanism's amplitude, would pass 2²⁶.
///
/// **Guarantee:** M_k, as rounded, satisfy Σ M_k² ≤ M².
struct SumGrid: Sendable {
    /// M.
    let sensitivity: Int
    /// γ; zero where every bound is.
    let spacing: Double
    /// M_k, rounded down.
    let bounds: [Double]

    /// The largest standard deviation of noise on a grid, in its units: the sampler's numbers then fit into 32 bits.
    static let largestDeviation = 0x1p26
    /// The smallest: below it, a discrete Gaussian is not accounted as a continuous one.
    static let smallestDeviation = 0x1p10
    /// How many columns a sum may have: what accounting counts on.
    static let mostColumns = 1 << 40 - 1
    private static let usualSensitivity = 0x1p22
    private static let finestSensitivity = 0x1p26

    /// The least M of any grid under noise of multiplier z, whatever the layout: what a plan, which knows no layout, is
    /// accounted with.
    static func leastSensitivity(noiseMultiplier z: Double) -> Double {
        let limit = largestDeviation / max(z, 1)
        return min(usualSensitivity, Double(sign: .plus, exponent: Int(limit.exponent), significand: 1))
    }

    /// The grid for `bounds` under noise of multiplier z, whose numbers can be `amplitude` ≥ 1 times as large as those
    /// of independent noise.
    ///
    /// Throws `noiseTooLargeForGrid` if z times the amplitude is above 2²⁶, `noiseTooSmallForGrid` if z·M is below 2¹⁰,
    /// and `clipNormTooSmallForGrid` for a group whose M_k is not well above the rounding of its columns. The bounds
    /// are finite. Traps for a layout of 2⁴⁰ columns or more, which would take 4 TiB.
    init(
        _ bounds: ClippingBounds, noiseMultiplier z: Double, amplitude: Double = 1
    ) throws(PrivacyMechanismError) {
        require(
            bounds.layout.count <= Self.mostColumns,
            "An exact sum of \(bounds.layout.count) columns was asked for, but accounting covers \(Self.mostColumns).")
        let total = bounds.norm
        // Rounded down, and by enough that the squares of all of them stay below M².
        let shares = (0..<bounds.groups.count).map {
            total == 0 ? 0 : bounds.bound(group: $0) / total * (1 - Double(bounds.groups.count + 8) * 0x1p-52)
        }
        let coarsest =
            zip(shares, bounds.groups.ranges).filter { $0.0 > 0 }
            .map { GridRounding.mostInBlock(columns: $0.1.count) / $0.0 }.max() ?? 0
        let largest = z * amplitude
        guard largest.isFinite else { throw .noiseTooLargeForGrid(noiseMultiplier: z, most: 0) }
        var size = Self.leastSensitivity(noiseMultiplier: largest)
        while size < Self.finestSensitivity, coarsest > size * 0x1p-10, 2 * size * largest <= Self.largestDeviation {
            size *= 2
        }
        guard size >= 1 else {
            throw .noiseTooLargeForGrid(noiseMultiplier: z, most: Self.largestDeviation / amplitude)
        }
        guard size * z >= Self.smallestDeviation else {
            throw .noiseTooSmallForGrid(noiseMultiplier: z, least: Self.smallestDeviation / size)
        }
        for (group, share) in shares.enumerated() where share > 0 {
            let lost = GridRounding.mostInBlock(columns: bounds.groups.ranges[group].count)
            guard size * share > 2 * lost else {
                throw .clipNormTooSmallForGrid(
                    clipNorm: bounds.bound(group: group), columns: bounds.groups.ranges[group].count,
                    least: 2 * lost / size * total)
            }
        }
        sensitivity = Int(size)
        spacing = total / size
        self.bounds = shares.map { $0 * size }
    }

    /// The standard deviation of noise of multiplier z, in grid units.
    func deviation(noiseMultiplier z: Double) -> Double { z * Double(sensitivity) }

    /// How many examples' integers can be added up in 32 bits.
    var examplesIn32Bits: Int { Int(Int32.max) / sensitivity }

    /// How many examples one sum may have: conversions to Float64 are then exact.
    var mostExamples: Int { min((1 << 48) / sensitivity, 1 << 27) }
}

/// What rounding to the grid can add to a norm.
enum GridRounding {
    /// Half a unit in each column, for integers that are rounded example by example.
    static func ofExample(columns: Int) -> Double { 0.5 * Double(columns).squareRoot() }

    /// For a sum that is taken on a finer grid and rounded once: half a unit in each column of both of two neighbouring
    /// sums, and what Float64 adds to it.
    static func ofSum(columns: Int) -> Double { (1 + 0x1p-4) * Double(columns).squareRoot() }

    /// The most that either way can add.
    static func mostInBlock(columns: Int) -> Double { ofExample(columns: columns) + ofSum(columns: columns) }
}

extension SumGrid {
    /// The factor, in grid units, that keeps an example's integers in a group within M_k.
    ///
    ///     f = min(ruleFactor / γ, (M_k − r) / n) · (1 − 2⁻²¹)
    ///
    /// **Guarantee:** integers that are the nearest to f·u, where products are taken in Float32 (two roundings), have a
    /// norm of at most M_k, if r is what rounding to integers can add to a norm, and n is at least the norm of u less a
    /// relative 2⁻²³.
    ///
    /// - Parameters:
    ///   - ruleFactor: the clip factor κ of the rule.
    ///   - norm: n, above zero.
    ///   - rounding: r.
    func factor(ruleFactor: Double, norm: Double, rounding: Double, group: Int) -> Double {
        let room = bounds[group] - rounding
        guard ruleFactor > 0, room > 0, spacing > 0 else { return 0 }
        return min(ruleFactor / spacing, room / norm) * (1 - 0x1p-21)
    }
}

/// Whether products with a factor may be taken in Float32: they then neither overflow nor lose bits below its range.
///
/// - Parameter norm: that of the transformed gradient.
func fitsFloat32(factor: Double, norm: Double) -> Bool {
    norm <= 0x1p100 && factor >= 0x1p-100 && factor <= 0x1p64
}
