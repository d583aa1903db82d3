import PyTrees

/// An optimizer's state as it is written to a file: with the optimizer's identifier and the layout it belongs to.
///
///     let data = try JSONEncoder().encode(OptimizerCheckpoint(of: optimizer, state: state, parameters: parameters))
///     var state = try JSONDecoder().decode(OptimizerCheckpoint<…>.self, from: data).state(for: parameters)
///
/// Decoding throws `checkpointOfAnotherOptimizer` before it reads the state of another one. Hyperparameters may change
/// between the two: they are not part of the state.
public struct OptimizerCheckpoint<Optimizer: GradientTransformation>: Codable, Sendable {
    private let layout: TreeLayout
    private let state: Optimizer.State

    /// The state of `optimizer` beside `parameters`.
    public init(of optimizer: Optimizer, state: Optimizer.State, parameters: ParameterVector) {
        self.layout = parameters.layout
        self.state = state
    }

    /// The state; throws `layoutMismatch` unless it is for the layout of `parameters`.
    public func state(for parameters: ParameterVector) throws(GradientTransformationError) -> Optimizer.State {
        try state(for: parameters.layout)
    }

    /// The state of `optimizer` beside parameters that are a tree.
    public init(of optimizer: Optimizer, state: Optimizer.State, parameters: some PyTree) {
        layout = parameters.requiredLayout
        self.state = state
    }

    /// The state; throws `layoutMismatch` unless it is for the leaves of `parameters`.
    public func state(for parameters: some PyTree) throws(GradientTransformationError) -> Optimizer.State {
        try state(for: parameters.requiredLayout)
    }

    private func state(for layout: TreeLayout) throws(GradientTransformationError) -> Optimizer.State {
        guard self.layout == layout else {
            throw .layoutMismatch(of: "checkpoint", found: self.layout, expected: layout)
        }
        return state
    }

    private enum CodingKeys: CodingKey {
        case optimizer, layout, state
    }

    /// Reads a checkpoint; throws `checkpointOfAnotherOptimizer` if another optimizer wrote it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let found = try container.decode(String.self, forKey: .optimizer)
        guard found == Optimizer.identifier else {
            throw GradientTransformationError.checkpointOfAnotherOptimizer(
                found: found, expected: Optimizer.identifier)
        }
        layout = try container.decode(TreeLayout.self, forKey: .layout)
        state = try container.decode(Optimizer.State.self, forKey: .state)
    }

    /// Writes the identifier, the layout and the state.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Optimizer.identifier, forKey: .optimizer)
        try container.encode(layout, forKey: .layout)
        try container.encode(state, forKey: .state)
    }
}
