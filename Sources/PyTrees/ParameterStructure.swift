/// What the parameters of a model can be: a ``PyTree``, or the flat vector itself.
///
/// Runs, trainers and models are generic over it, so that a struct of your own goes in and comes out again. Conform to
/// ``PyTree``, which brings everything along; only a conformance under a condition, `extension Pair: PyTree,
/// ParameterStructure where …`, has to name both.
///
/// Flat storage is the one representation inside. A structure is flattened once, when it comes in; afterwards each step
/// overwrites one structure with the flat values, and copies each of them once.
public protocol ParameterStructure {
    /// The paths and shapes of the leaves.
    func treeLayout() throws(PyTreeError) -> TreeLayout

    /// The values of all leaves in one contiguous vector, with their layout.
    func flattened() throws(PyTreeError) -> ParameterVector

    /// A structure of the same leaves that holds the values of `vector`: the vector itself, or a copy.
    ///
    /// Traps unless `vector` has the layout that this structure had when it was flattened.
    func holding(_ vector: ParameterVector) -> Self

    /// A structure of the same leaves for ``withValues(of:_:)`` to overwrite; a vector needs none, and gives up its
    /// memory.
    var template: Self { get }

    /// Calls `body` with the structure that holds the values of `vector`: the vector itself, or this structure, whose
    /// leaves are overwritten in place.
    ///
    /// Traps unless `vector` has the layout that this structure had when it was flattened.
    mutating func withValues<Result>(of vector: ParameterVector, _ body: (Self) throws -> Result) rethrows -> Result
}

extension PyTree {
    /// A copy with the values of `vector` in its leaves.
    public func holding(_ vector: ParameterVector) -> Self {
        Self.trapping { () throws(PyTreeError) in try unflattened(from: vector) }
    }

    /// The structure itself.
    public var template: Self { self }

    /// Calls `body` with `self`, after its leaves were overwritten.
    public mutating func withValues<Result>(
        of vector: ParameterVector, _ body: (Self) throws -> Result
    ) rethrows -> Result {
        overwriteLeaves(with: vector)
        return try body(self)
    }
}

extension ParameterVector: ParameterStructure {
    /// The vector's layout.
    public func treeLayout() -> TreeLayout { layout }

    /// The vector itself.
    public func flattened() -> ParameterVector { self }

    /// `vector`, without copying it.
    public func holding(_ vector: ParameterVector) -> ParameterVector { vector }

    /// An empty vector.
    public var template: ParameterVector { ParameterVector(zeros: .empty) }

    /// Calls `body` with `vector`, without copying it.
    public mutating func withValues<Result>(
        of vector: ParameterVector, _ body: (ParameterVector) throws -> Result
    ) rethrows -> Result {
        try body(vector)
    }
}
