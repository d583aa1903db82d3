import PyTrees

/// Shrinks updates whose norm over all leaves is too large.
///
///     u = g · min(1, c / ‖g‖₂)
///
/// The bound c is above 0 and finite; the norm is accumulated in Float64. Source: Pascanu, Mikolov and Bengio,
/// arXiv 1211.5063. As optax's `clip_by_global_norm`. It clips one gradient, not those of single examples, and gives no
/// privacy.
///
///     let optimizer = try chain { try ClipByGlobalNorm(1); try adam(learningRate: 1e-3) }
public struct ClipByGlobalNorm: GradientTransformation, Codable, Hashable {
    /// `clip_by_global_norm`.
    public static var identifier: String { "clip_by_global_norm" }

    /// The largest norm.
    @Hyperparameter<Positive> public var maximumNorm: Double

    /// Throws `invalidHyperparameter` unless `maximumNorm` is above 0 and finite.
    public init(_ maximumNorm: Double) throws(GradientTransformationError) {
        _maximumNorm = try Hyperparameter(maximumNorm, "maximumNorm")
    }

    /// Nothing to remember.
    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    /// Clips `updates` in place.
    public func update(_ updates: inout ParameterVector, state: inout EmptyState, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Measures the whole vector; scales it with the operations that follow.
    public func join(_ pass: inout UpdatePass, state: inout EmptyState, then next: (inout UpdatePass) -> Void) {
        let norm = pass.squaredUpdateNorms().reduce(0, +).squareRoot()
        if !(norm < maximumNorm) {
            var factor = maximumNorm / norm
            // A subnormal factor would have lost its digits; in two steps none does.
            if factor < Double(Float.leastNormalMagnitude) {
                pass.append(ScaleOperation(factor: 0x1p-64))
                factor *= 0x1p64
            }
            pass.append(ScaleOperation(factor: Float(factor)))
        }
        next(&pass)
    }
}
