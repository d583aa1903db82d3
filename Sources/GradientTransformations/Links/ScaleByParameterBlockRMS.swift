import PyTrees

/// Scales the updates of each leaf by the size of its parameters, so that learning rates are relative.
///
///     u = g · max(rms(x), d) for each leaf, rms(x) = √(mean x²)
///
/// The least size d is at least 0; squares are added up in Float64. Source: Shazeer and Stern, arXiv 1804.04235,
/// section 8. As optax's `scale_by_param_block_rms`.
///
///     let optimizer = try chain { try ScaleByFactoredRMS(); try ScaleByParameterBlockRMS(); try Scale(-0.01) }
public struct ScaleByParameterBlockRMS: GradientTransformation, Codable, Hashable {
    /// `scale_by_param_block_rms`.
    public static var identifier: String { "scale_by_param_block_rms" }

    /// What smaller sizes are raised to, d ≥ 0: parameters that begin at zero could not leave it otherwise.
    @Hyperparameter<NonNegative> public var minimum: Double

    /// False leaves updates as they are.
    public let isOn: Bool

    /// Throws `invalidHyperparameter` if `minimum` is negative or not finite.
    public init(minimum: Double = 1e-3, isOn: Bool = true) throws(GradientTransformationError) {
        _minimum = try Hyperparameter(minimum, "minimum")
        self.isOn = isOn
    }

    /// Nothing to remember.
    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    /// Scales `updates` in place.
    public func update(_ updates: inout ParameterVector, state: inout EmptyState, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Measures the parameters; scales the updates with the operations that follow.
    public func join(_ pass: inout UpdatePass, state: inout EmptyState, then next: (inout UpdatePass) -> Void) {
        if isOn {
            let factors = pass.layout.rootMeanSquares(pass.squaredParameterNorms()).map { rootMeanSquare in
                // NaN is not below the minimum, and stays.
                rootMeanSquare <= minimum ? Float(minimum) : Float(rootMeanSquare)
            }
            pass.append(LeafScaleOperation(factors: factors, layout: pass.layout))
        }
        next(&pass)
    }
}
