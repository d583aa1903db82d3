import LinearAlgebra
import PrivacyAccounting
import PyTrees
import Requirements

/// The clipped sum of one batch, on its way to being noised: transform → clip → sum → noise.
///
/// A batch may be added in any number of microbatches of any size; the noise is added once, when the aggregate is
/// consumed. An aggregate to which nothing was added is an empty batch: its sum is zero, *and it is still noised*.
///
///     var aggregate = try ClippedAggregate(rule, transform: IdentityTransform(layout: layout))
///     aggregate.add(rows)
///     let gradient = try aggregate.privatized(noiseMultiplier: 1.1, noise: &noise).vector
///
/// **Guarantee:** two aggregates whose batches are neighbours under a relation differ, before noise, by at most
/// `sensitivity(for:)` in L2 norm in the transformed space, for batches of up to 32,768 examples (beyond, Float64
/// rounding can add a relative B²·2⁻⁵³), and but for what a type of gradients says that its own rounding of the sum
/// adds (`FactoredGradients` does). An example that is padding, or that has a NaN or an infinity anywhere,
/// contributes exactly zero. The un-noised sum cannot be copied, scaled or stepped with, and is not read but by asking
/// for a noise multiplier of 0, which is no privacy.
///
/// Under identity and diagonal transforms the result does not depend, in any bit, on how the batch is cut into
/// microbatches nor on the number of threads, as long as the examples come as dense rows in the same order. Under a
/// general transform neither, as long as the transform gives one gradient one image.
///
/// - Warning: noise and result are Float32. Where the un-noised sum is exactly zero in a coordinate, the result is a
///   Float32 normal times σ; elsewhere it is often not of that form, and whoever sees many such coordinates can tell
///   (for example the row of an embedding that one person alone uses). The claimed ε does not cover this.
public struct ClippedAggregate<Transform: PreClippingTransform>: ~Copyable {
    /// The map applied to every gradient before clipping.
    public let transform: Transform
    /// The rule that bounds each example's contribution.
    public let clipping: ClippingRule

    /// Asked of the transform once: one that changed its mind while a batch is added would undo the bound.
    let form: TransformForm
    let parameterLayout: TreeLayout

    let bounds: ClippingBounds
    package var sum: ClippedSum
    let workspace: GradientWorkspace?

    /// Σ (2b_i − 1) over the examples counted so far, b_i = 1 for norms within the bound; nil where nobody counts.
    private(set) var signedCount: Int?

    /// An empty batch.
    ///
    /// Throws `clipNormsDoNotFitLayout` if the rule's clip norms are not a structural prefix of the transformed layout.
    ///
    /// - Parameter workspace: where the sum's memory comes from and goes back to; nil allocates it anew.
    public init(
        _ clipping: ClippingRule, transform: Transform, workspace: GradientWorkspace? = nil
    ) throws(PrivacyMechanismError) {
        form = transform.form
        parameterLayout = transform.parameterLayout
        bounds = try ClippingBounds(clipping, for: transform.transformedLayout)
        self.clipping = clipping
        self.transform = transform
        self.workspace = workspace
        form.preconditionFits(parameterLayout, bounds.layout)
        let columns = bounds.layout.count
        sum = workspace.map { ClippedSum(reusing: $0.take(columns: columns)) } ?? ClippedSum(columns: columns)
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
    /// - Parameter padding: true for examples that are only there to fill the batch; nil if none are.
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
    /// Norms are those before clipping, in the transformed space; padding examples are measured too. Publishing,
    /// logging or tuning with them leaks what the noise is there to hide.
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
