extension TreeLayout {
    /// The subtrees of a layout, numbered in layout order, each before those below it.
    struct Index: Sendable {
        enum Kind {
            case inner, leaf, empty
        }

        struct Node {
            var kind: Kind
            var leaves: Range<Int>
        }

        struct Edge: Hashable {
            let parent: Int
            let key: String
        }

        static let root = 0

        fileprivate(set) var nodes = [Node(kind: .inner, leaves: 0..<0)]
        // One table of single keys, because a table of paths would take up depth² on a deep tree.
        fileprivate(set) var children: [Edge: Int] = [:]

        func node(at path: TreePath) -> Int? {
            var node = Self.root
            for key in path.keys {
                guard let child = child(of: node, key) else { return nil }
                node = child
            }
            return node
        }

        func child(of node: Int, _ key: String) -> Int? {
            children[Edge(parent: node, key: key)]
        }
    }

    /// Makes an index from paths in layout order, and finds paths that no tree could have.
    struct IndexBuilder {
        private var index = Index()
        private var openKeys: [String] = []
        private var openNodes = [Index.root]
        private var leafCount = 0
        private var isEmpty = true

        mutating func append(_ path: TreePath, isLeaf: Bool) throws(PyTreeError) {
            let shared = zip(path.keys, openKeys).prefix { $0 == $1 }.count
            close(downTo: shared)
            if !isEmpty {
                try checkEnd(openNodes[shared], of: path, depth: shared)
            }
            for depth in shared..<path.keys.count {
                let edge = Index.Edge(parent: openNodes[depth], key: path.keys[depth])
                if let known = index.children[edge] {
                    try checkEnd(known, of: path, depth: depth + 1)
                    throw .scatteredSubtree(TreePath(Array(path.keys[...depth])))
                }
                index.children[edge] = index.nodes.count
                openNodes.append(index.nodes.count)
                index.nodes.append(Index.Node(kind: .inner, leaves: leafCount..<leafCount))
            }
            openKeys = path.keys
            index.nodes[openNodes[path.keys.count]].kind = isLeaf ? .leaf : .empty
            leafCount += isLeaf ? 1 : 0
            isEmpty = false
        }

        consuming func finish() -> Index {
            close(downTo: -1)
            return index
        }

        /// Throws unless `node`, which `path` reaches at `depth`, was an inner node and stays one.
        private func checkEnd(_ node: Int, of path: TreePath, depth: Int) throws(PyTreeError) {
            let endsHere = depth == path.keys.count
            let wasInner = index.nodes[node].kind == .inner
            guard endsHere || !wasInner else { return }
            if endsHere && !wasInner { throw .duplicatePath(path) }
            throw .leafWithChildren(TreePath(Array(path.keys[..<depth])))
        }

        private mutating func close(downTo depth: Int) {
            while openNodes.count - 1 > depth, let node = openNodes.popLast() {
                index.nodes[node].leaves = index.nodes[node].leaves.lowerBound..<leafCount
            }
        }
    }
}
