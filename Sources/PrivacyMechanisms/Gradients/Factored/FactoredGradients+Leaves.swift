import PyTrees

extension FactoredGradients.Part {
    /// The leaves that the part has the gradients of.
    package var leaves: [TreePath] {
        switch self {
        case .dense(let kernel, let bias, _, _), .sequence(let kernel, let bias, _, _, _):
            [kernel] + (bias.map { [$0] } ?? [])
        case .embedding(let table, _, _, _): [table]
        case .rows(let leaves, _): leaves
        case .joined(let leaf, _): [leaf]
        case .mapped(let part, _): part.leaves
        }
    }
}
