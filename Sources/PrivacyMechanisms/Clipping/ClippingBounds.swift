import PrivacyAccounting
import PyTrees
import Requirements

/// A clipping rule applied to one layout: which columns each clip norm bounds, and the factor for each norm.
///
/// **Guarantee:** For finite Float32 gradients, whatever the order in which a norm's squares were added up in Float64,
/// `factor(forNorm:group:)` times the group's true norm is at most `bound(group:)`, with a margin that also covers
/// rounding each product to Float64 and the rounding of a Float64 sum over up to 32,768 examples. Exact sums have
/// bounds of their own: ``SumGrid``.
struct ClippingBounds: Sendable {
    let rule: ClippingRule
    let layout: TreeLayout
    let groups: ColumnGroups
    private let clipNorms: [Double]

    /// Throws `clipNormsDoNotFitLayout` if the rule's tree of norms is not a structural prefix of `layout`.
    init(_ rule: ClippingRule, for layout: TreeLayout) throws(PrivacyMechanismError) {
        self.rule = rule
        self.layout = layout
        let entries: [PrefixGroup<Double>]
        do throws(PyTreeError) {
            entries = try rule.method.l2ClipNorms.groups(in: layout)
        } catch {
            throw .clipNormsDoNotFitLayout(error)
        }
        groups = ColumnGroups(ranges: entries.map(\.columns))
        clipNorms = entries.map(\.value)
        margin = 1 - (0x1p-23 + 0x1p-30 + Double(layout.count + 16) * 0x1p-53)
    }

    /// What factors are reduced by, so that rounding cannot carry a contribution past its bound.
    ///
    /// With P columns, a Float64 sum of squares in any order errs by a factor of at most 1 ± (P + 2)·2⁻⁵³, its root by
    /// half of that (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2). A recursive Float64 sum of B
    /// vectors of norm C errs by at most B²/2 · 2⁻⁵³ · C; two neighbouring sums by twice that, which is 2⁻²³·C at
    /// B = 32,768. The 2⁻³⁰ are for the products with `normalizeBy` and a scale that follow the sum.
    let margin: Double

    /// The factor for a group whose computed norm is `norm`, a number that is neither NaN nor infinite.
    func factor(forNorm norm: Double, group: Int) -> Double {
        rule.method.factor(forNorm: norm, clipNorm: clipNorms[group], margin: margin)
    }

    /// Turns one example's squared norms, a number per group, into its factors.
    ///
    /// **Guarantee:** padding and examples with a norm that is not finite get zero in every group; so do examples with
    /// a squared norm below zero, which cancellation in a conformer's arithmetic can bring about.
    func replaceSquaredNorms(_ squares: UnsafeMutableBufferPointer<Double>, isPadding: Bool) {
        guard !isPadding, squares.allSatisfy({ $0 >= 0 && $0 < .infinity }) else {
            return squares.update(repeating: 0)
        }
        rule.method.replaceSquaredNorms(squares, clipNorms: clipNorms, margin: margin)
    }

    /// The largest norm of one example's contribution to a group, before the division by `normalizeBy`.
    func bound(group: Int) -> Double {
        rule.method.bound(clipNorm: clipNorms[group])
    }

    /// The largest norm of one example's whole contribution, before the division by `normalizeBy`, rounded up.
    var norm: Double { Self.normUp((0..<groups.count).map(bound(group:))) }

    /// The L2 sensitivity of the clipped, normalised sum, rounded up.
    func sensitivity(for relation: NeighboringRelation) -> Double {
        let single = Self.dividedUp(norm, by: rule.normalizeBy)
        switch relation {
        case .addOrRemoveOne, .replaceSpecial: return single
        case .replaceOne: return 2 * single
        }
    }

    /// Norms of one example, a number per group, in the structure of the rule's tree of clip norms.
    func structured(_ norms: [Double]) -> PrefixTree<Double> {
        do throws(PyTreeError) {
            return try PrefixTree(structureOf: rule.method.l2ClipNorms, values: norms, in: layout)
        } catch {
            fail("\(norms.count) norms do not fit \(groups.count) groups: \(error)")
        }
    }

    private static func normUp(_ values: [Double]) -> Double {
        guard values.count > 1 else { return values.first ?? 0 }
        let largest = values.max()!
        if largest == 0 || largest == .infinity { return largest }
        let sum = values.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }
        // The terms and their sum each err by a few half-ulps; the count of them bounds the total.
        return largest * (sum * (1 + Double(values.count + 8) * 0x1p-52)).squareRoot().nextUp
    }

    private static func dividedUp(_ numerator: Double, by denominator: Double) -> Double {
        let quotient = numerator / denominator
        let fellShort = quotient.isFinite && (-numerator).addingProduct(quotient, denominator) < 0
        return fellShort ? quotient.nextUp : quotient
    }
}
