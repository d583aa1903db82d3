extension TreeLayout: Codable {
    private struct Line: Codable {
        let path: TreePath
        /// Absent for an empty subtree.
        let shape: [Int]?
    }

    /// Reads a list of paths and shapes; throws if no tree could have them.
    public init(from decoder: any Decoder) throws {
        let lines = try [Line](from: decoder)
        do throws(PyTreeError) {
            try self.init(
                entries: lines.map { line in
                    line.shape.map { .leaf(line.path, shape: $0) } ?? .emptySubtree(line.path)
                })
        } catch {
            throw error.decodingError(at: decoder.codingPath)
        }
    }

    /// Writes a list of `{"path": "dense/kernel", "shape": [3, 4]}`; an empty subtree has no shape.
    public func encode(to encoder: any Encoder) throws {
        let lines = entries.map { entry in
            switch entry {
            case .leaf(let path, let shape): Line(path: path, shape: shape)
            case .emptySubtree(let path): Line(path: path, shape: nil)
            }
        }
        try lines.encode(to: encoder)
    }
}
