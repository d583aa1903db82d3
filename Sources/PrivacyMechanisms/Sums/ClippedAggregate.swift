import LinearAlgebra
import PrivacyAccounting
import PyTrees
import Requirements

/// The clipped sum of one batch, on its way to being noised: transform → clip → sum → noise.
///
/// A batch may be added in any number of microbatches of any size; the noise is added once, when the aggregate is
/// consumed. An aggregate to which nothing was added is an empty batch: its sum is zero, *and it is still noised*.
///
///     var noise = Noise(.discreteGaussian)
///     var aggregate = try ClippedAggregate(rule, transform: IdentityTransform(layout: layout), noiseMultiplier: 1.1)
///     aggregate.add(rows)
///     let gradient = try aggregate.privatized(noise: &noise).vector
///
/// What noise is to be added decides how the sum is taken, so an aggregate is made for its noise: for a discrete
/// Gaussian, integers on a `SumGrid` are added up; for the floating-point Gaussian, and without noise, Float64.
///
/// **Guarantee:** two aggregates whose batches are neighbours under a relation differ, before noise, by at most
/// `sensitivity(for:)` in L2 norm in the transformed space.
///
/// - Exact sums: as the machine computes them, for every type of gradients and any batch. A sum is a function of the
///   set of its examples: no bit depends on their order, on microbatches or on threads, as long as each example's
///   gradient does not. Nor does one depend on the processor, but for factored gradients under a scale, whose norms are
///   Float32 products.
/// - Floating-point sums: but for rounding. It can add a relative B²·2⁻⁵³ for more than 32,768 examples, and what a
///   type of gradients says that its own rounding adds (`FactoredGradients` does).
/// - An example that is padding, or that has a NaN or an infinity anywhere, contributes exactly zero.
/// - The un-noised sum cannot be copied, scaled or stepped with, and is not read but by asking for a noise multiplier
///   of 0, which is no privacy.
public struct ClippedAggregate<Transform: PreClippingTransform>: ~Copyable {
    /// The map applied to every gradient before clipping.
    public let transform: Transform
    /// The rule that bounds each example's contribution.
    public let clipping: ClippingRule

    /// Asked of the transform once: one that changed its mind while a batch is added would undo the bound.
    let form: TransformForm
    let parameterLayout: TreeLayout

    /// The kind of noise that the sum will get.
    public let noise: NoiseScheme
    /// z: what the noise multiplies the sensitivity by.
    public let noiseMultiplier: Double

    let bounds: ClippingBounds
    let sum: PendingSum
    let workspace: GradientWorkspace?
    let ranks: Ranks?
    let isGathered: Bool

    /// Σ (2b_i − 1) over the examples counted so far, b_i = 1 for norms within the bound; nil where nobody counts.
    private(set) var signedCount: Int?

    /// An empty batch, for noise of standard deviation z·Δ, Δ the add-or-remove-one sensitivity.
    ///
    /// An accountant that works with another relation accounts for it itself; the noise never changes with the
    /// relation.
    ///
    /// Throws
    ///
    /// - `clipNormsDoNotFitLayout` if the rule's clip norms are not a structural prefix of the transformed layout;
    /// - `invalidNoiseMultiplier` if z is negative or not finite, `unboundedSensitivity` if z > 0 and the clip norm is
    ///   infinite;
    /// - for exact sums, `noiseTooSmallForGrid` and `clipNormTooSmallForGrid`;
    /// - `ranksNeedExactSums` for several ranks without noise or with floating-point noise.
    ///
    /// - Parameters:
    ///   - clipping: the rule of the step.
    ///   - transform: what gradients go through before they are clipped.
    ///   - noise: the kind of noise that the sum will get.
    ///   - noiseMultiplier: z; 0 is no privacy.
    ///   - workspace: where the sum's memory comes from and goes back to; nil allocates it anew.
    ///   - ranks: who adds to the sum together, each an aggregate of its own; nil for this process alone.
    public init(
        _ clipping: ClippingRule, transform: Transform, noise: NoiseScheme = .discreteGaussian, noiseMultiplier: Double,
        workspace: GradientWorkspace? = nil, ranks: Ranks? = nil
    ) throws(PrivacyMechanismError) {
        try self.init(
            clipping, transform: transform, noise: noise, noiseMultiplier: noiseMultiplier, workspace: workspace,
            ranks: ranks, isGathered: true)
    }

    /// The same; unless `isGathered`, each rank has then only its share of the columns, and steps with no other.
    package init(
        _ clipping: ClippingRule, transform: Transform, noise: NoiseScheme, noiseMultiplier: Double,
        workspace: GradientWorkspace?, ranks: Ranks?, isGathered: Bool
    ) throws(PrivacyMechanismError) {
        guard noiseMultiplier >= 0, noiseMultiplier < .infinity else { throw .invalidNoiseMultiplier(noiseMultiplier) }
        let bounds = try ClippingBounds(clipping, for: transform.transformedLayout)
        guard noiseMultiplier == 0 || bounds.norm < .infinity else {
            throw .unboundedSensitivity(noiseMultiplier: noiseMultiplier)
        }
        let columns = bounds.layout.count
        if noiseMultiplier > 0, noise.mechanism.sums == .exact {
            let grid = try SumGrid(
                bounds, noiseMultiplier: noiseMultiplier, amplitude: noise.mechanism.amplitude)
            sum = .exact(workspace?.takeGridSum(columns: columns) ?? GridSum(columns: columns), grid)
        } else {
            guard ranks == nil else { throw .ranksNeedExactSums(kind: noise.kind, noiseMultiplier: noiseMultiplier) }
            sum = .floatingPoint(workspace?.take(columns: columns) ?? AlignedStorage(zeros: columns))
        }
        form = transform.form
        parameterLayout = transform.parameterLayout
        form.preconditionFits(parameterLayout, bounds.layout)
        self.bounds = bounds
        self.noise = noise
        self.noiseMultiplier = noiseMultiplier
        self.clipping = clipping
        self.transform = transform
        self.workspace = workspace
        self.ranks = ranks
        self.isGathered = isGathered
    }

    /// The L2 sensitivity of the sum in the transformed space: what noise multipliers multiply, for add-or-remove-one.
    public func sensitivity(for relation: NeighboringRelation) -> Double {
        bounds.sensitivity(for: relation)
    }

    /// Adds a microbatch.
    ///
    /// Traps if the gradients have another layout than the transform takes, or if `padding` has another length than
    /// the microbatch.
    ///
    /// - `padding`: true for examples that are only there to fill the batch; nil if none are.
    public mutating func add(_ gradients: some PerExampleGradients, padding: [Bool]? = nil) {
        guard let counted = signedCount else { return add(gradients, padding: padding, norms: nil) }
        var squares = [Double](repeating: .nan, count: gradients.exampleCount)
        squares.withUnsafeMutableBufferPointer { add(gradients, padding: padding, norms: $0) }
        signedCount = squares.indices.reduce(counted) { count, example in
            if padding?[example] ?? false { return count }
            return count + (squares[example].squareRoot() <= bounds.bound(group: 0) ? 1 : -1)
        }
    }

    /// From here on, counts the examples whose norm is within the bound, for adaptive clipping.
    ///
    /// Traps if there is more than one bound.
    package mutating func countExamplesWithinBound() {
        require(
            bounds.groups.count == 1, "A count of examples within \(bounds.groups.count) bounds is not defined.")
        signedCount = 0
    }

    /// Adds a microbatch, and returns what clipping learned of each example. **None of it is private.**
    ///
    /// Norms are those before clipping, in the transformed space; padding examples are measured too. For an exact sum,
    /// those of dense layers in factored form are of activations rounded to 16 bits. Publishing, logging or tuning with
    /// them leaks what the noise is there to hide.
    public mutating func addReturningNonPrivateOutputs(
        _ gradients: some PerExampleGradients, padding: [Bool]? = nil
    ) -> NonPrivateOutputs {
        let groups = bounds.groups.count
        var squares = [Double](repeating: 0, count: gradients.exampleCount * groups)
        squares.withUnsafeMutableBufferPointer { add(gradients, padding: padding, norms: $0) }
        let norms = (0..<gradients.exampleCount).map { example in
            bounds.structured(squares[example * groups..<(example + 1) * groups].map { $0.squareRoot() })
        }
        return NonPrivateOutputs(norms: norms, losses: gradients.nonPrivateLosses)
    }
}

/// What clipping sees of each example. **Not private**: for debugging on public data only.
public struct NonPrivateOutputs: Sendable {
    /// Each example's norms before clipping, in the structure of the clip norms; infinite or NaN where they are.
    public let norms: [PrefixTree<Double>]
    /// Each example's loss, where the gradients brought losses with them.
    public let losses: [Float]?
}
