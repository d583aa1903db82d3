/// Rows on their way to an exact sum, each with its factor: every row is rounded to integers by itself.
struct GridRows {
    private var rows: [UnsafePointer<Float>] = []
    private var factors: [Float] = []
    /// Rows whose products may leave Float32's range.
    private var wide: [(row: UnsafePointer<Float>, factor: Double)] = []

    /// - Parameter isNarrow: whether products with the row stay in Float32's range: see ``fitsFloat32(factor:norm:)``.
    mutating func append(_ row: UnsafePointer<Float>, factor: Double, isNarrow: Bool) {
        if isNarrow {
            rows.append(row)
            factors.append(Float(factor))
        } else {
            wide.append((row, factor))
        }
    }

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        factors.removeAll(keepingCapacity: true)
        wide.removeAll(keepingCapacity: true)
    }

    /// Adds columns `range` of the rows, with those of the scale, to those of `sum`.
    func add(_ range: Range<Int>, under scale: UnsafePointer<Float>?, to sum: UnsafeMutablePointer<Int32>) {
        Kernels.active.add_grid_rows(rows, factors, rows.count, range.lowerBound, range.count, scale, sum)
        for (row, factor) in wide {
            Self.add(
                row + range.lowerBound, factor: factor, isNarrow: false, count: range.count,
                under: scale.map { $0 + range.lowerBound }, to: sum + range.lowerBound)
        }
    }

    /// Adds one row of `count` columns.
    static func add(
        _ row: UnsafePointer<Float>, factor: Double, isNarrow: Bool, count: Int, under scale: UnsafePointer<Float>?,
        to sum: UnsafeMutablePointer<Int32>
    ) {
        guard isNarrow else { return Kernels.active.add_wide_grid_row(row, factor, count, scale, sum) }
        var (row, factor) = (row, Float(factor))
        Kernels.active.add_grid_rows(&row, &factor, 1, 0, count, scale, sum)
    }
}
