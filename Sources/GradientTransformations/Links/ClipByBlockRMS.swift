import PyTrees

/// Shrinks the updates of each leaf whose root mean square is too large.
///
///     u = g / max(1, rms(g) / d) for each leaf, rms(g) = √(mean g²)
///
/// The threshold d is above 0 and finite; squares are added up in Float64. It clips updates, not the gradients of
/// single examples, and gives no privacy. Source: Shazeer and Stern, arXiv 1804.04235, section 6. As optax's
/// `clip_by_block_rms`.
///
///     let optimizer = try chain { try ScaleByFactoredRMS(); try ClipByBlockRMS(1); try Scale(-0.01) }
public struct ClipByBlockRMS: GradientTransformation, Codable, Hashable {
    /// `clip_by_block_rms`.
    public static var identifier: String { "clip_by_block_rms" }

    /// The largest root mean square, d > 0.
    @Hyperparameter<Positive> public var threshold: Double

    /// Throws `invalidHyperparameter` unless `threshold` is above 0 and finite.
    public init(_ threshold: Double) throws(GradientTransformationError) {
        _threshold = try Hyperparameter(threshold, "threshold")
    }

    /// Nothing to remember.
    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    /// Clips `updates` in place.
    public func update(_ updates: inout ParameterVector, state: inout EmptyState, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Measures every leaf; scales them with the operations that follow.
    public func join(_ pass: inout UpdatePass, state: inout EmptyState, then next: (inout UpdatePass) -> Void) {
        let factors = pass.layout.rootMeanSquares(pass.squaredUpdateNorms()).map { rootMeanSquare in
            // NaN is not below the threshold, and stays.
            rootMeanSquare <= threshold ? 1 : Float(threshold / rootMeanSquare)
        }
        pass.append(LeafScaleOperation(factors: factors, layout: pass.layout))
        next(&pass)
    }
}

extension TreeLayout {
    /// The root mean square of each leaf whose squared norm is given; 0 for one without elements.
    func rootMeanSquares(_ squaredNorms: [Double]) -> [Double] {
        zip(leaves, squaredNorms).map { ($1 / Double(max(1, $0.range.count))).squareRoot() }
    }
}
