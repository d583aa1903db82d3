import PyTrees

/// Scales the updates of each leaf to the size of its parameters.
///
///     u = g · c max(‖x‖₂, n) / (max(‖g‖₂, n) + ε) for each leaf; u = g where a norm is 0
///
/// Norms are accumulated in Float64. The least norm n, the coefficient c and ε are at least 0. Source: You et al.,
/// arXiv 1904.00962. As optax's `scale_by_trust_ratio`.
///
///     let optimizer = try chain { try ScaleByAdam(); try ScaleByTrustRatio(); try Scale(-0.01) }
public struct ScaleByTrustRatio: GradientTransformation, Codable, Hashable {
    /// `scale_by_trust_ratio`.
    public static var identifier: String { "scale_by_trust_ratio" }

    /// What smaller norms are raised to, n ≥ 0.
    @Hyperparameter<NonNegative> public var minimumNorm: Double

    /// What the ratio is multiplied by, c ≥ 0.
    @Hyperparameter<NonNegative> public var coefficient: Double

    /// What is added to the norm of the updates, ε ≥ 0.
    @Hyperparameter<NonNegative> public var epsilon: Double

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        minimumNorm: Double = 0, coefficient: Double = 1, epsilon: Double = 0
    ) throws(GradientTransformationError) {
        _minimumNorm = try Hyperparameter(minimumNorm, "minimumNorm")
        _coefficient = try Hyperparameter(coefficient, "coefficient")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
    }

    /// Nothing to remember.
    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    /// Scales `updates` in place.
    public func update(_ updates: inout ParameterVector, state: inout EmptyState, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Measures every leaf; scales them with the operations that follow.
    public func join(_ pass: inout UpdatePass, state: inout EmptyState, then next: (inout UpdatePass) -> Void) {
        let updateNorms = pass.squaredUpdateNorms()
        let ratios = zip(pass.squaredParameterNorms(), updateNorms).map { parameters, updates -> Float in
            let parameterNorm = max(parameters.squareRoot(), minimumNorm)
            let updateNorm = max(updates.squareRoot(), minimumNorm)
            if parameterNorm == 0 || updateNorm == 0 { return 1 }
            return Float(coefficient * parameterNorm / (updateNorm + epsilon))
        }
        pass.append(LeafScaleOperation(factors: ratios, layout: pass.layout))
        next(&pass)
    }
}
