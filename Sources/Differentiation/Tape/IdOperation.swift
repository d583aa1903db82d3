/// An operation to which ids say which row of a table, or which class, is meant.
protocol IdOperation: Operation {
    /// Which input the ids are, and what they lie below.
    func ids(inputs: [[Int]], parameters: [[Int]]) -> (input: Int, limit: Int)
}

extension [Node] {
    /// What an example's features lie below where they are ids; nil where no operation takes them as such.
    var vocabulary: Int? {
        compactMap { node -> Int? in
            guard let operation = node.operation as? any IdOperation else { return nil }
            let (input, limit) = operation.ids(inputs: node.inputShapes, parameters: node.parameterShapes)
            return isFeatures(node.inputs[input]) ? limit : nil
        }.min()
    }

    /// Whether a node has features themselves: all, some, or each at the place of another.
    private func isFeatures(_ index: Int) -> Bool {
        switch self[index].source {
        case .features: true
        case .operation(let operation):
            (operation is PositionSlice || operation is NextTokens) && isFeatures(self[index].inputs[0])
        case .label, .target, .positions: false
        }
    }
}
