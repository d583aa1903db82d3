import PyTrees

/// An optimizer's state as it is written to a file: with the kind of optimizer and the layout it belongs to.
///
///     let data = try JSONEncoder().encode(OptimizerCheckpoint(of: optimizer, state: state, parameters: parameters))
///     var state = try JSONDecoder().decode(OptimizerCheckpoint<…>.self, from: data).state(for: parameters)
///
/// Decoding throws `checkpointOfAnotherOptimizer` before it reads a state of another kind. Hyperparameters may change
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

    /// The kind of optimizer: its type.
    public static var kind: String { String(describing: Optimizer.self) }

    private enum CodingKeys: CodingKey {
        case kind, layout, state
    }

    /// Reads a checkpoint; throws `checkpointOfAnotherOptimizer` if it is one of another kind.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try container.decode(String.self, forKey: .kind)
        guard kind == Self.kind else {
            throw GradientTransformationError.checkpointOfAnotherOptimizer(found: kind, expected: Self.kind)
        }
        layout = try container.decode(TreeLayout.self, forKey: .layout)
        state = try container.decode(Optimizer.State.self, forKey: .state)
    }

    /// Writes the kind, the layout and the state.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.kind, forKey: .kind)
        try container.encode(layout, forKey: .layout)
        try container.encode(state, forKey: .state)
    }
}
