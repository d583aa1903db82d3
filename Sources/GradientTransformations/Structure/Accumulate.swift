import PyTrees

/// Collects the gradients of k steps and takes one step with their mean.
///
/// The updates of the other steps are zero and leave the inner state alone. As optax's `MultiSteps`.
///
///     let optimizer = try Accumulate(try adam(learningRate: 1e-3), steps: 4)
public struct Accumulate<Inner: GradientTransformation>: GradientTransformation {
    /// `multi_steps(…)`.
    public static var identifier: String { "multi_steps(\(Inner.identifier))" }

    /// What the mean goes to.
    public let inner: Inner

    /// How many gradients make one step.
    public let steps: Int

    /// Throws `invalidHyperparameter` if `steps` is below 1.
    public init(_ inner: Inner, steps: Int) throws(GradientTransformationError) {
        guard steps >= 1 else {
            throw .invalidHyperparameter(name: "steps", value: Double(steps), allowed: "at least 1")
        }
        self.inner = inner
        self.steps = steps
    }

    /// The inner state, and the mean so far.
    public struct State: Codable, Sendable {
        /// The inner state.
        public var inner: Inner.State

        /// The mean of the gradients since the last step.
        public var mean: ParameterVector

        /// How many gradients those are.
        public var collected = 0
    }

    /// As the inner transformation.
    public static var isElementwise: Bool { Inner.isElementwise }

    /// The inner state; nothing collected.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> State {
        State(inner: try inner.initialState(for: parameters), mean: ParameterVector(zeros: parameters.layout))
    }

    /// Updates by the inner transformation every `steps` steps, and sets to zero in between.
    public func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Adds the gradient to the mean, and lets the inner transformation join if it is complete.
    public func join(_ pass: inout UpdatePass, state: inout State, then next: (inout UpdatePass) -> Void) {
        state.collected += 1
        let isComplete = state.collected >= steps
        let weight = 1 / Float(state.collected)
        if isComplete { state.collected = 0 }
        withMoments(&state.mean, layout: pass.layout) { mean in
            pass.append(AccumulateOperation(mean: mean, weight: weight, isComplete: isComplete))
            if isComplete {
                inner.join(&pass, state: &state.inner, then: next)
            } else {
                next(&pass)
            }
        }
    }
}

private struct AccumulateOperation: UpdateOperation {
    let mean: UnsafeMutablePointer<Float>
    let weight: Float
    let isComplete: Bool

    func apply(to block: UpdateBlock) {
        let mean = mean + block.offset
        Kernels.active.accumulate(weight, block.count, block.updates, mean)
        if isComplete {
            block.updates.update(from: mean, count: block.count)
            mean.update(repeating: 0, count: block.count)
        } else {
            block.updates.update(repeating: 0, count: block.count)
        }
    }
}

extension Accumulate.State: SecondMomentState where Inner.State: SecondMomentState {
    /// The inner form.
    public typealias Form = Inner.State.Form

    /// Calls `body` with the inner second moments.
    public func readSecondMoments(_ body: (ParameterVector) -> Void) { inner.readSecondMoments(body) }

    /// Calls `body` with the inner second moments, to change them in place.
    public mutating func changeSecondMoments(_ body: (inout ParameterVector) -> Void) {
        inner.changeSecondMoments(body)
    }
}

extension Accumulate: Equatable where Inner: Equatable {}
extension Accumulate: Decodable where Inner: Decodable {}
extension Accumulate: Encodable where Inner: Encodable {}
