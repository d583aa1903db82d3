/// The values of all leaves of a tree in one contiguous vector, with the layout that names them.
///
/// Copies share their values until one of them changes. Compared as floating-point numbers are: `-0` equals `0`, and
/// NaN equals nothing.
public struct ParameterVector: Hashable, Sendable {
    /// The leaves and where their elements lie.
    public let layout: TreeLayout

    /// The elements of all leaves, in layout order; as many as ``TreeLayout/count``.
    public private(set) var values: [Float]

    /// A vector that holds `values`; throws if the layout has another number of elements.
    public init(values: [Float], layout: TreeLayout) throws(PyTreeError) {
        guard values.count == layout.count else {
            throw .valueCountMismatch(count: values.count, expected: layout.count)
        }
        self.layout = layout
        self.values = values
    }

    /// A vector that holds `value` in every element.
    public init(repeating value: Float, layout: TreeLayout) {
        self.layout = layout
        values = [Float](repeating: value, count: layout.count)
    }

    /// A vector of zeros.
    public init(zeros layout: TreeLayout) {
        self.init(repeating: 0, layout: layout)
    }

    /// The number of elements.
    public var count: Int { values.count }
}

extension ParameterVector {
    /// Calls `body` with all elements, valid only during the call.
    public func withUnsafeValues<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try values.withUnsafeBufferPointer(body)
    }

    /// Calls `body` with all elements to change them in place, valid only during the call.
    /// - Complexity: as `body`, and one copy of the elements if another vector shares them.
    public mutating func withUnsafeMutableValues<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try values.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in try body(buffer) }
    }

    /// Calls `body` with a span over all elements.
    public func withSpan<Result, Failure: Error>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(values.span)
    }

    /// Calls `body` with a span over all elements to change them in place.
    /// - Complexity: as `body`, and one copy of the elements if another vector shares them.
    public mutating func withMutableSpan<Result, Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var span = values.mutableSpan
        return try body(&span)
    }
}
