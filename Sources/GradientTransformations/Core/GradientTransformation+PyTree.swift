import PyTrees

// Parameters and gradients as trees: any struct that conforms to `PyTree`. Each is flattened and written back once.

extension GradientTransformation {
    /// The state before the first step, for parameters that are a tree; throws if the hyperparameters do not fit them.
    ///
    ///     struct Model: PyTree { var kernel: Tensor; var bias: Tensor … }
    ///
    ///     var model = Model(…)
    ///     var state = try optimizer.initialState(for: model)
    ///     optimizer.step(gradient, state: &state, parameters: &model)    // gradient: Model
    ///
    /// Traps if two children of the tree share a key.
    /// - Complexity: O(P), and one copy of the parameters.
    public func initialState(for parameters: some PyTree) throws(GradientTransformationError) -> State {
        try initialState(for: parameters.vector())
    }

    /// Turns gradients into updates in place, both of them trees like `parameters`, which are those before the step.
    ///
    /// Traps unless updates and parameters have the same leaves, and `state` is for them.
    /// - Complexity: O(P), and one copy of each into flat storage and one of the updates back.
    public func update<Tree: PyTree>(_ updates: inout Tree, state: inout State, parameters: Tree) {
        let parameters = parameters.vector()
        var vector = updates.vector(as: parameters.layout)
        update(&vector, state: &state, parameters: parameters)
        updates.overwriteLeaves(with: vector)
    }

    /// Takes one step: makes updates of `gradient` and adds them to `parameters`, in place.
    ///
    /// Traps unless both have the same leaves, and `state` is for them.
    /// - Complexity: O(P), and one copy of each into flat storage and one of the parameters back.
    public func step<Tree: PyTree>(_ gradient: Tree, state: inout State, parameters: inout Tree) {
        var vector = parameters.vector()
        var updates = gradient.vector(as: vector.layout)
        step(&updates, state: &state, parameters: &vector)
        parameters.overwriteLeaves(with: vector)
    }
}
