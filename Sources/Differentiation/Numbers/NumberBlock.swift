import LinearAlgebra

/// Memory for a matrix of numbers that a tape reuses from one run to the next.
///
/// Copies share it; who writes takes memory of its own where it is shared.
public struct NumberBlock<Scalar: Real>: Sendable {
    /// The number of rows.
    public private(set) var rows: Int
    /// The number of columns.
    public private(set) var columns: Int
    private var storage: AlignedStorage<Scalar>

    /// A block of zeros.
    public init(rows: Int = 0, columns: Int = 0) {
        (self.rows, self.columns) = (rows, columns)
        storage = AlignedStorage(zeros: rows * columns)
    }

    /// One row of numbers.
    init(_ numbers: [Scalar]) {
        self.init(rows: 1, columns: numbers.count)
        base.update(from: numbers, count: numbers.count)
    }

    init(rows: Int, columns: Int, sharing storage: AlignedStorage<Scalar>) {
        (self.rows, self.columns, self.storage) = (rows, columns, storage)
    }

    /// Gives the block another shape and undefined contents, in the memory it has where that is its own and suffices.
    mutating func reshape(rows: Int, columns: Int) {
        if rows * columns > storage.count || !isKnownUniquelyReferenced(&storage) {
            storage = AlignedStorage(zeros: rows * columns)
        }
        (self.rows, self.columns) = (rows, columns)
    }

    /// The same numbers in rows of another length.
    func reshaped(columns: Int) -> NumberBlock {
        var result = self
        (result.rows, result.columns) = (columns == 0 ? 0 : rows * self.columns / columns, columns)
        return result
    }

    /// Rows of `columns` numbers, of the numbers `range` of the block, which are not copied.
    func part(_ range: Range<Int>, columns: Int) -> NumberBlock {
        NumberBlock(
            rows: columns == 0 ? 0 : range.count / columns, columns: columns,
            sharing: AlignedStorage(part: range, of: storage))
    }

    /// The first number, row after row. Valid as long as the block is held.
    public var base: UnsafeMutablePointer<Scalar> { storage.base }

    /// The number in row `row` and column `column`.
    public subscript(row: Int, column: Int) -> Scalar { storage.base[row * columns + column] }
}

extension NumberBlock<Float> {
    /// The numbers of a matrix, without copying them.
    init(_ matrix: Matrix) {
        self.init(rows: matrix.rows, columns: matrix.columns, sharing: matrix.sharedStorage)
    }

    /// The block as a matrix, without copying it.
    var matrix: Matrix { Matrix(rows: rows, columns: columns, sharing: storage) }
}
