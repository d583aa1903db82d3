import PyTrees

/// Skips steps whose gradient has a NaN or an infinity.
///
/// A skipped step updates nothing, neither parameters nor the inner state. After `maximumErrors` skipped steps in a
/// row the wrapper gives up and lets the gradient through. As optax's `apply_if_finite`.
///
///     let optimizer = try ApplyIfFinite(try adam(learningRate: 1e-3), maximumErrors: 5)
public struct ApplyIfFinite<Inner: GradientTransformation>: GradientTransformation {
    /// `apply_if_finite(…)`.
    public static var identifier: String { "apply_if_finite(\(Inner.identifier))" }

    /// What finite gradients go to.
    public let inner: Inner

    /// How many steps in a row are skipped at most.
    public let maximumErrors: Int

    /// Throws `invalidHyperparameter` if `maximumErrors` is negative.
    public init(_ inner: Inner, maximumErrors: Int) throws(GradientTransformationError) {
        guard maximumErrors >= 0 else {
            throw .invalidHyperparameter(name: "maximumErrors", value: Double(maximumErrors), allowed: "at least 0")
        }
        self.inner = inner
        self.maximumErrors = maximumErrors
    }

    /// The inner state, and what was skipped.
    public struct State: Codable, Sendable {
        /// The inner state.
        public var inner: Inner.State

        /// Steps with a gradient that was not finite, since the last one that was.
        public var consecutiveErrors = 0

        /// All steps with a gradient that was not finite.
        public var totalErrors = 0
    }

    /// The inner state; nothing skipped.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> State {
        State(inner: try inner.initialState(for: parameters))
    }

    /// Updates by the inner transformation, or sets to zero.
    public func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Looks at the whole gradient, and lets the inner transformation join if all is well.
    public func join(_ pass: inout UpdatePass, state: inout State, then next: (inout UpdatePass) -> Void) {
        // A sum of squares of Float32 cannot overflow in Float64, so it is finite if and only if all elements are.
        if pass.squaredUpdateNorms().allSatisfy(\.isFinite) {
            state.consecutiveErrors = 0
        } else {
            state.consecutiveErrors += 1
            state.totalErrors += 1
            if state.consecutiveErrors <= maximumErrors {
                pass.append(ZeroOperation())
                return next(&pass)
            }
        }
        inner.join(&pass, state: &state.inner, then: next)
    }
}

extension ApplyIfFinite.State: SecondMomentState where Inner.State: SecondMomentState {
    /// The inner form.
    public typealias Form = Inner.State.Form

    /// Calls `body` with the inner second moments.
    public func readSecondMoments(_ body: (ParameterVector) -> Void) { inner.readSecondMoments(body) }

    /// Calls `body` with the inner second moments, to change them in place.
    public mutating func changeSecondMoments(_ body: (inout ParameterVector) -> Void) {
        inner.changeSecondMoments(body)
    }
}

extension ApplyIfFinite: Equatable where Inner: Equatable {}
extension ApplyIfFinite: Decodable where Inner: Decodable {}
extension ApplyIfFinite: Encodable where Inner: Encodable {}
