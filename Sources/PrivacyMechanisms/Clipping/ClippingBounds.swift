import PrivacyAccounting
import PyTrees
import Requirements

/// A clipping rule applied to one layout: which columns each clip norm bounds, and the factor for each norm.
///
/// **Guarantee:** For finite Float32 gradients, whatever the order in which a norm's squares were added up in Float64,
/// `coefficient(forNorm:group:)` times the group's true norm is at most `bound(group:)`, with a margin that also covers
/// rounding each product to Float64 and the rounding of a Float64 sum over up to 32,768 examples.
struct ClippingBounds: Sendable {
    let rule: ClippingRule
    let layout: TreeLayout
    let groups: ColumnGroups
    private let clipNorms: [Double]
    private let prefix: PrefixTree<Double>

    /// Throws `clipNormsDoNotFitLayout` if the rule's tree of norms is not a structural prefix of `layout`.
    init(_ rule: ClippingRule, for layout: TreeLayout) throws(PrivacyMechanismError) {
        self.rule = rule
        self.layout = layout
        switch rule.method {
        case .threshold(let norms, _): prefix = norms
        case .automatic(let norm, _), .perSampleAdaptive(let norm, _): prefix = .value(norm)
        }
        let entries: [PrefixGroup<Double>]
        do throws(PyTreeError) {
            entries = try prefix.groups(in: layout)
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
    func coefficient(forNorm norm: Double, group: Int) -> Double {
        let clipNorm = clipNorms[group]
        switch rule.method {
        case .threshold(_, rescaleToUnitNorm: false):
            if clipNorm == .infinity { return 1 }
            let safe = clipNorm * margin
            return norm <= safe ? (clipNorm == 0 ? 0 : 1) : safe / norm
        case .threshold(_, rescaleToUnitNorm: true):
            if clipNorm == .infinity || norm == 0 { return 0 }
            return norm <= clipNorm * margin ? 1 / clipNorm : margin / norm
        case .automatic(_, let stability):
            return clipNorm * margin / (norm + stability)
        case .perSampleAdaptive(_, let stability):
            return clipNorm * margin / (norm + stability / (norm + stability))
        }
    }

    /// The largest norm of one example's contribution to a group, before the division by `normalizeBy`.
    func bound(group: Int) -> Double {
        if case .threshold(_, rescaleToUnitNorm: true) = rule.method { return 1 }
        return clipNorms[group]
    }

    /// The L2 sensitivity of the clipped, normalised sum, rounded up.
    func sensitivity(for relation: NeighboringRelation) -> Double {
        let bounds = (0..<groups.count).map(bound(group:))
        let single = Self.dividedUp(Self.normUp(bounds), by: rule.normalizeBy)
        switch relation {
        case .addOrRemoveOne, .replaceSpecial: return single
        case .replaceOne: return 2 * single
        }
    }

    /// Norms of one example, a number per group, in the structure of the rule's tree of clip norms.
    func structured(_ norms: [Double]) -> PrefixTree<Double> {
        do throws(PyTreeError) {
            return try PrefixTree(structureOf: prefix, values: norms, in: layout)
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
