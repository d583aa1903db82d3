import LinearAlgebra
import Requirements

/// A sum of clipped gradients before noise: Float64, non-copyable, and write-only outside this package.
///
/// Whoever answers `PerExampleGradients` adds to it; nobody reads it but the noise that consumes it.
public struct ClippedSum: ~Copyable {
    package let values: AlignedStorage<Double>

    package init(columns: Int) {
        values = AlignedStorage(zeros: columns)
    }

    package init(reusing values: AlignedStorage<Double>) {
        self.values = values
    }

    /// The number of columns.
    public var count: Int { values.count }

    /// Adds `factor · row` to the columns from `column` on.
    ///
    /// Traps if they lie outside the sum. O(row.count).
    public mutating func add(_ row: Span<Float>, times factor: Double = 1, at column: Int) {
        require(
            column >= 0 && column + row.count <= count,
            "\(row.count) elements from column \(column) on lie outside a sum of \(count) columns.")
        row.withUnsafeBufferPointer { row in
            guard var base = row.baseAddress else { return }
            var factor = factor
            Kernels.active.add_weighted_rows(&base, &factor, 1, 0, row.count, values.base + column)
        }
    }
}
