import PyTrees

extension TrainableModel {
    /// What is to be frozen for adapters to be trained: the paths of all leaves but the adapters' own, and those at and
    /// below `others`, such as a head whose classes are new. For ``freezing(_:of:)``.
    ///
    /// An adapter is a subtree with leaves `kernel` [i, o], `down` [i, r] and `up` [r, o], as ``LowRankAdapter`` has
    /// them; its own are the last two.
    ///
    /// - `freezesDown`: whether `down` stays as it is, too, as in FFA-LoRA, arXiv 2403.12313.
    public func frozenPaths(training others: [TreePath] = [], freezesDown: Bool = false) -> [TreePath] {
        layout.leaves.map(\.path).filter { path in
            let isOwn = layout.isAdapter(path.parent) && ["up", freezesDown ? "up" : "down"].contains(path.keys.last)
            return !isOwn && !others.contains { $0.isPrefix(of: path) }
        }
    }
}

extension TreeLayout {
    /// Whether the subtree at `path` is an adapter.
    fileprivate func isAdapter(_ path: TreePath) -> Bool {
        func shape(_ key: String) -> [Int]? { self[TreePath(path.keys + [key])]?.shape }
        guard let kernel = shape("kernel"), let down = shape("down"), let up = shape("up") else { return false }
        return kernel.count == 2 && down.count == 2 && up.count == 2 && down[0] == kernel[0] && down[1] == up[0]
            && up[1] == kernel[1]
    }
}

extension TreePath {
    /// The path of what the last key lies in.
    fileprivate var parent: TreePath { TreePath(Array(keys.dropLast())) }
}
