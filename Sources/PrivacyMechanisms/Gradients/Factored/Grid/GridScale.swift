import PyTrees

/// The scale that factored gradients are taken under on their way to an exact sum.
enum GridScale {
    /// A number for each parameter; nil for none.
    case elements(ParameterVector?)
    /// A scale of rank one in each matrix.
    case rankOne(RankOneTransform)

    /// Calls `body` with the leaves that have elements; they are used until it returns.
    func withLeaves(of gradients: FactoredGradients, on grid: SumGrid, _ body: ([any GridLeaf]) -> Void) {
        let count = gradients.exampleCount
        switch self {
        case .elements(let scale):
            scale.withUnsafeValues(matching: gradients.layout) { scale in
                body(
                    gradients.factors.filter { !$0.columns.isEmpty }.map { factor in
                        factor.gridLeaf(
                            exampleCount: count, scale: scale.map { $0 + factor.columns.lowerBound }, grid: grid)
                    })
            }
        case .rankOne(let map): map.withGridLeaves(of: gradients, on: grid, body)
        }
    }
}
