import Requirements

/// A dense, row-major Float32 matrix with value semantics.
///
/// Rows lie one after the other without gaps, in memory aligned to 64 bytes (2 MiB, on huge pages where the system
/// grants them, from 4 MiB on). Copying a matrix costs a reference; the elements are copied when a shared matrix is
/// first written to.
public struct Matrix: Sendable {
    /// The number of rows; in a matrix of per-example gradients, the examples.
    public private(set) var rows: Int
    /// The number of columns; in a matrix of per-example gradients, the parameters.
    public private(set) var columns: Int
    private var storage: AlignedStorage<Float>

    /// A matrix of zeros.
    ///
    /// Traps if a dimension is negative or the product overflows `Int`.
    public init(rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, AlignedStorage.init(zeros:))
    }

    /// A matrix with undefined contents, for those who write all of it.
    ///
    /// Traps as `init(rows:columns:)` does.
    package init(undefinedRows rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, AlignedStorage.init(undefined:))
    }

    private init(rows: Int, columns: Int, _ allocate: (_ count: Int) -> AlignedStorage<Float>) {
        require(rows >= 0 && columns >= 0, "A matrix cannot have the shape \(rows) × \(columns).")
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        require(!overflow, "A matrix of shape \(rows) × \(columns) has more elements than Int can count.")
        self.rows = rows
        self.columns = columns
        self.storage = allocate(count)
    }

    /// A matrix with the given elements, row after row.
    ///
    /// Traps if there are not `rows · columns` elements.
    public init(rows: Int, columns: Int, elements: [Float]) {
        self.init(rows: rows, columns: columns)
        require(
            elements.count == count, "\(elements.count) elements do not fill a matrix of shape \(rows) × \(columns).")
        withUnsafeMutableElements { _ = $0.update(fromContentsOf: elements) }
    }

    /// A matrix of elements that lie in `storage` already, row after row from its first on.
    ///
    /// Traps unless the storage has as many.
    package init(rows: Int, columns: Int, sharing storage: AlignedStorage<Float>) {
        require(
            rows * columns <= storage.count,
            "A block of \(storage.count) elements does not hold a matrix of shape \(rows) × \(columns).")
        self.rows = rows
        self.columns = columns
        self.storage = storage
    }

    /// Where the elements lie: not to be written to.
    package var sharedStorage: AlignedStorage<Float> { storage }

    /// The number of elements, `rows · columns`.
    public var count: Int { rows * columns }

    /// Gives the matrix another shape and undefined contents, in the memory it has where that is its own and suffices.
    ///
    /// For workspaces: batches of varying sizes then share one block. Traps as `init` does.
    package mutating func reshape(rows: Int, columns: Int) {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard rows >= 0, columns >= 0, !overflow, count <= storage.count, isKnownUniquelyReferenced(&storage) else {
            self = Matrix(rows: rows, columns: columns)
            return
        }
        self.rows = rows
        self.columns = columns
    }

    /// The same elements in rows of another length, without copying them. Traps unless whole rows come of it.
    package func reshaped(columns: Int) -> Matrix {
        require(
            columns > 0 && count.isMultiple(of: columns),
            "The elements of a matrix of shape \(rows) × \(self.columns) do not fill rows of \(columns).")
        var result = self
        result.rows = count / columns
        result.columns = columns
        return result
    }

    /// The element in row `row` and column `column`. Traps outside the shape.
    public subscript(row: Int, column: Int) -> Float {
        get { storage.base[index(row, column)] }
        set {
            let index = index(row, column)
            withUnsafeMutableElements { $0[index] = newValue }
        }
    }

    private func index(_ row: Int, _ column: Int) -> Int {
        require(
            row >= 0 && row < rows && column >= 0 && column < columns,
            "Element (\(row), \(column)) lies outside a matrix of shape \(rows) × \(columns).")
        return row * columns + column
    }
}

extension Matrix {
    /// Calls `body` with all elements, row after row.
    public func withElements<Result, Failure: Error>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(elements.span)
    }

    /// Calls `body` with the rows in `range`, one after the other, each `columns` long. Traps outside the shape.
    public func withRows<Result, Failure: Error>(
        _ range: Range<Int>, _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        require(
            range.lowerBound >= 0 && range.upperBound <= rows,
            "Rows \(range) lie outside a matrix of shape \(rows) × \(columns).")
        let block = UnsafeBufferPointer(start: storage.base + range.lowerBound * columns, count: range.count * columns)
        return try body(block.span)
    }

    /// Calls `body` with row `row`. Traps outside the shape.
    public func withRow<Result, Failure: Error>(
        _ row: Int, _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withRows(row..<row + 1, body)
    }

    /// Calls `body` with the writable rows in `range`. Copies the elements first if they are shared.
    public mutating func withMutableRows<Result, Failure: Error>(
        _ range: Range<Int>, _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        require(
            range.lowerBound >= 0 && range.upperBound <= rows,
            "Rows \(range) lie outside a matrix of shape \(rows) × \(columns).")
        makeUnique()
        let block = UnsafeMutableBufferPointer(
            start: storage.base + range.lowerBound * columns, count: range.count * columns)
        var span = block.mutableSpan
        return try body(&span)
    }

    /// Calls `body` with the writable row `row`. Copies the elements first if they are shared.
    public mutating func withMutableRow<Result, Failure: Error>(
        _ row: Int, _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withMutableRows(row..<row + 1, body)
    }

    /// Calls `body` with all elements. The pointer must not outlive the call.
    public func withUnsafeElements<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(elements)
    }

    /// Calls `body` with all elements, writable. The pointer must not outlive the call.
    public mutating func withUnsafeMutableElements<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        makeUnique()
        return try body(UnsafeMutableBufferPointer(start: storage.base, count: count))
    }

    private var elements: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: storage.base, count: count) }

    private mutating func makeUnique() {
        if !isKnownUniquelyReferenced(&storage) { storage = AlignedStorage(copying: storage) }
    }
}

extension Matrix: Equatable {
    /// Whether shape and all elements are equal, compared as numbers (`-0` equals `0`, NaN equals nothing).
    public static func == (left: Matrix, right: Matrix) -> Bool {
        left.rows == right.rows && left.columns == right.columns
            && left.elements.elementsEqual(right.elements)
    }
}
