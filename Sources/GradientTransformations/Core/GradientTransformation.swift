import PyTrees

/// Turns gradients into updates, step by step: an optimizer, or a *link*, which is what optax calls a gradient
/// transformation; an optimizer is a chain of links.
///
/// The transformation itself holds hyperparameters only. What it remembers from step to step is its `State`: flat
/// vectors and counters, which are checkpointed with the parameters.
///
///     let optimizer = try adam(learningRate: 1e-3)
///     var state = try optimizer.initialState(for: parameters)
///     while var gradient = nextGradient() {
///         optimizer.step(&gradient, state: &state, parameters: &parameters)
///     }
///
/// To write one of your own that works element by element, conform to ``ElementwiseTransformation``; it is then
/// evaluated in one trip through memory with its neighbours in a chain. Otherwise implement
/// ``initialState(for:)`` and ``update(_:state:parameters:)`` only.
public protocol GradientTransformation<State>: Sendable {
    /// What is remembered from step to step.
    associatedtype State: Codable & Sendable

    /// The name by which checkpoints tell whose state they hold: optax's name where it has one, such as
    /// `scale_by_adam`; `chain(a,b)` for what is made of others.
    ///
    /// It stays the same from release to release as long as the state can be read, whatever the type is called; a state
    /// that means something else gets another one. Hyperparameters and schedules are not part of it. All of them stand
    /// on this module's page.
    static var identifier: String { get }

    /// Whether every element of the result depends on that element of gradient, state and parameters alone, so that
    /// the transformation never waits for a whole vector. False unless said otherwise.
    static var isElementwise: Bool { get }

    /// The state before the first step; throws if the hyperparameters do not fit the layout of `parameters`.
    func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> State

    /// Turns gradients, or what an earlier link made of them, into updates, in place.
    ///
    /// `parameters` are those before the step. Traps unless `updates`, `state` and `parameters` have one layout.
    func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector)

    /// Takes part in a pass over a step's updates: adds what it does to them, and calls `next` for what comes after.
    ///
    /// The default finishes what is pending and calls ``update(_:state:parameters:)`` on the whole vector. An
    /// implementation of your own must call `next` exactly once, and keep what its operations point to alive until
    /// then.
    func join(_ pass: inout UpdatePass, state: inout State, then next: (inout UpdatePass) -> Void)
}

extension GradientTransformation {
    /// False.
    public static var isElementwise: Bool { false }

    /// Calls ``update(_:state:parameters:)`` on the whole vector.
    public func join(_ pass: inout UpdatePass, state: inout State, then next: (inout UpdatePass) -> Void) {
        pass.withVectors { updates, parameters in
            update(&updates, state: &state, parameters: parameters)
        }
        next(&pass)
    }

    /// Takes one step: makes updates of `gradient` and adds them to `parameters`, in one trip through memory where
    /// the transformation is element-wise.
    ///
    /// `gradient` is overwritten, and of no use afterwards; reuse its memory for the next one.
    ///
    /// Traps unless all of them have the layout that `state` was made for.
    /// - Complexity: O(P); allocates nothing that grows with P.
    public func step(
        _ gradient: inout ParameterVector, state: inout State, parameters: inout ParameterVector
    ) {
        UpdatePass.step(&gradient, parameters: &parameters) { pass in
            join(&pass, state: &state, then: UpdatePass.addToParameters)
        }
    }
}

/// The state of a transformation that remembers nothing.
public struct EmptyState: Codable, Hashable, Sendable {
    /// The only value.
    public init() {}
}
