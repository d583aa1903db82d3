import PyTrees

extension SafeTensors {
    /// What was read by a ``WeightMapping``.
    public struct MappedContents<Parameters> {
        /// The parameters, with the leaves that the mapping fills.
        public let parameters: Parameters
        /// The leaves that were missing, and keep the values that they had, in layout order.
        public let keptLeaves: [TreePath]
        /// The tensors of the file that no rule matches, sorted by name.
        public let unreadTensors: [String]
        /// The file's `__metadata__`.
        public let metadata: [String: String]
    }

    /// Reads the leaves that `mapping` names from the file at `path`; the others keep their values of `parameters`.
    ///
    /// F32, F16 and BF16 become Float32, each value exactly. Beside the parameters, one tensor is in memory at most.
    ///
    /// Throws ``FileError`` for a file that cannot be read, has more than `limit` bytes or breaks the format, for a
    /// tensor of another type that a leaf needs, and for what does not fit between mapping, file and leaves:
    /// ``WeightMappingProblem``, with the names of both sides.
    /// - Complexity: O(rules × (leaves + tensors)), and the elements that are read.
    public static func read(
        _ path: String, into parameters: ParameterVector, by mapping: WeightMapping,
        limit: Int = FileContents.usualLimit
    ) throws(FileError) -> MappedContents<ParameterVector> {
        let file = try SafeTensorsFile(path, limit: limit)
        let (header, layout) = (file.header, parameters.layout)
        let found = Dictionary(uniqueKeysWithValues: header.tensors.map { ($0.name, $0) })
        var unread: [String] = []
        var sources: [(WeightAssignment, SafeTensorsHeader.Tensor)] = []
        do throws(WeightMappingProblem) {
            let assignments = try mapping.assignments(for: layout)
            for name in found.keys.sorted() where try !mapping.matches(tensor: name, in: layout) {
                unread.append(name)
            }
            let useful = Set(assignments.filter { found[$0.tensor] != nil }.map(\.rule))
            for assignment in assignments {
                guard let tensor = found[assignment.tensor] else {
                    let leaf = assignment.leaf.path
                    if mapping.allowsMissing(leaf), useful.contains(assignment.rule) { continue }
                    throw .missingTensor(assignment.tensor, leaf: leaf, known: found.keys.sorted())
                }
                try assignment.check(tensorShape: tensor.shape)
                sources.append((assignment, tensor))
            }
        } catch {
            throw .mapping(path: path, problem: error)
        }
        // Before anything is copied, and before rows of a tensor are counted whose size nobody checked.
        for (_, tensor) in sources { _ = try file.naming { () throws(SafeTensorsProblem) in try tensor.element() } }
        var result = parameters
        try result.withUnsafeMutableValues { (values) throws(FileError) in
            for (assignment, tensor) in sources {
                let leaf = UnsafeMutableBufferPointer(rebasing: values[assignment.leaf.range])
                try file.read(tensor, by: assignment, into: leaf)
            }
        }
        let filled = Set(sources.map(\.0.leaf.path))
        return MappedContents(
            parameters: result, keptLeaves: layout.leaves.map(\.path).filter { !filled.contains($0) },
            unreadTensors: unread, metadata: header.metadata)
    }

    /// The same for parameters that are a tree.
    ///
    ///     let model = try SafeTensors.read("encoder.safetensors", into: Classifier(), by: mapping).parameters
    ///
    /// Traps if two children of the tree share a key.
    public static func read<Tree: PyTree>(
        _ path: String, into parameters: Tree, by mapping: WeightMapping, limit: Int = FileContents.usualLimit
    ) throws(FileError) -> MappedContents<Tree> {
        let contents = try read(path, into: parameters.vector(), by: mapping, limit: limit)
        return MappedContents(
            parameters: parameters.holding(contents.parameters), keptLeaves: contents.keptLeaves,
            unreadTensors: contents.unreadTensors, metadata: contents.metadata)
    }
}

extension SafeTensors.MappedContents: Sendable where Parameters: Sendable {}

extension SafeTensorsFile {
    /// Fills a leaf with the rows of `tensor` that it is.
    fileprivate func read(
        _ tensor: SafeTensorsHeader.Tensor, by assignment: WeightAssignment,
        into leaf: UnsafeMutableBufferPointer<Float>
    ) throws(FileError) {
        let first = assignment.rows.lowerBound * assignment.rowCount
        let order = assignment.rule.order
        if order == .same { return try read(tensor, from: first, into: leaf) }
        let weight = UnsafeMutableBufferPointer<Float>.allocate(capacity: leaf.count)
        defer { weight.deallocate() }
        try read(tensor, from: first, into: weight)
        order.makeKernel(leaf, ofWeight: UnsafeBufferPointer(weight), outputs: assignment.shape[0])
    }
}
