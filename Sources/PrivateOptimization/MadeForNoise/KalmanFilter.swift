import CPrivacyKernels
import GradientTransformations
import PyTrees
import Requirements

/// DiSK: the filtering half of a simplified Kalman filter for private gradients.
///
///     m₁ = g₁,  m_t = (1 − κ) m_{t−1} + κ g_t,  u_t = m_t
///
/// The predicting half happens before privatization and is the caller's: each example's gradient is
///
///     w ∇f(x_t + γ d_t) + (1 − w) ∇f(x_t),  w = (1 − κ) / (κ γ),  d_t = x_t − x_{t−1},
///
/// clipped and noised as one. ``lookAheadWeight`` is w and ``lookAhead(_:previous:)`` the point x_t + γ d_t. Then m_t
/// follows the gradient as it moves, while the noise is averaged over about 2 / κ steps. With one gradient at x_t only
/// (w = 0) the link is a running mean, which lags behind. κ and γ lie above 0 and at or below 1. Source: Zhang et al.,
/// arXiv 2410.03883.
///
///     let optimizer = try chain { try KalmanFilter(gain: 0.7, reach: 0.5); try adam(learningRate: 1e-3) }
public struct KalmanFilter: ElementwiseTransformation, Codable, Hashable {
    /// `kalman_filter`.
    public static var identifier: String { "kalman_filter" }

    /// The filter gain κ in (0, 1].
    @Hyperparameter<PositiveShare> public var gain: Double

    /// How far ahead the second gradient is taken, γ in (0, 1].
    @Hyperparameter<PositiveShare> public var reach: Double

    /// Throws `invalidHyperparameter` if a value lies outside (0, 1].
    public init(gain: Double = 0.7, reach: Double = 0.5) throws(GradientTransformationError) {
        _gain = try Hyperparameter(gain, "gain")
        _reach = try Hyperparameter(reach, "reach")
    }

    /// The weight w of the gradient at the point ahead; 1 − w is that of the gradient at the parameters.
    public var lookAheadWeight: Double { (1 - gain) / (gain * reach) }

    /// The point ahead, x_t + γ (x_t − x_{t−1}); `parameters` and `previous` must have one layout.
    /// - Complexity: O(P), and one new vector.
    public func lookAhead(_ parameters: ParameterVector, previous: ParameterVector) -> ParameterVector {
        require(
            parameters.layout == previous.layout,
            "Parameters of layout\n\(parameters.layout)\nhave no step from those of layout\n\(previous.layout)")
        var ahead = parameters
        ahead.withUnsafeMutableValues { ahead in
            previous.withUnsafeValues { previous in
                guard let values = ahead.baseAddress, let past = previous.baseAddress else { return }
                Kernels.active.scale(Float(1 + reach), ahead.count, values)
                Kernels.active.add_scaled(Float(-reach), past, ahead.count, values)
            }
        }
        return ahead
    }

    /// An estimate of zero, replaced by the first gradient.
    public func initialState(for parameters: ParameterVector) -> FirstMomentState {
        FirstMomentState(zeros: parameters.layout)
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout FirstMomentState, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        let gain = state.steps == 0 ? 1 : self.gain
        state.steps += 1
        let constants = dpk_constants(
            decay1: Float(1 - gain), gain1: Float(gain), decay2: 0, gain2: 0, momentum: 1, gradient: 0, correction: 0,
            root: 0, epsilon: 0)
        state.withOperation(.one(Kernels.active.momentum), constants, layout: layout, body)
    }
}

extension KalmanFilter: DivisibleTransformation {}

/// Numbers in (0, 1].
public enum PositiveShare: HyperparameterBounds {
    /// Whether `value` lies in (0, 1].
    public static func contains(_ value: Double) -> Bool { value > 0 && value <= 1 }

    /// The range in words.
    public static let description = "above 0 and at most 1"
}
