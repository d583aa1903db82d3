import LinearAlgebra
import PyTrees

/// The state of a link with running means of squared gradients that are factored where leaves are large.
public struct FactoredMomentState: SingleSecondMomentState, Codable, Hashable, Sendable {
    /// Some leaves have a mean for each row and each column only.
    public typealias Form = FactoredMoments

    /// The number of steps taken.
    public var steps = 0

    /// The second moment: for a factored leaf two leaves in its place, `rows` (the means over its second axis) and
    /// `columns` (the means over its first); for any other leaf one number for each element.
    public var secondMoment: ParameterVector
}

/// The running means of squares of a factored leaf's rows and columns.
///
/// Squares are added up in Float64, in pieces that depend on the shape alone: the result does not depend on threads.
struct FactoredMeans {
    let axes: FactoredAxes
    let decay: Double

    /// Columns that are taken together: their sums stay in the first-level cache.
    private static let tile = 2048
    private static let elementsPerThread = 1 << 15

    /// Moves both means towards those of `gradient`.
    func learn(
        _ gradient: UnsafePointer<Float>, rows: UnsafeMutablePointer<Float>, columns: UnsafeMutablePointer<Float>
    ) {
        if axes.inner == 1 { learnRuns(gradient, rows, columns) } else { learnElements(gradient, rows, columns) }
    }

    private func learnRuns(
        _ gradient: UnsafePointer<Float>, _ rows: UnsafeMutablePointer<Float>, _ columns: UnsafeMutablePointer<Float>
    ) {
        let (height, width, middle) = (axes.rows, axes.columns, axes.middle)
        let tiles = max(1, (width + Self.tile - 1) / Self.tile)
        let pieces = axes.slices * tiles >= 16 ? 1 : min(16, height)
        var rowSums = [Double](repeating: 0, count: axes.rowCount * tiles)
        var columnSums = [Double](repeating: 0, count: axes.columnCount * pieces)
        let addSquares = Kernels.active.add_squares
        rowSums.withUnsafeMutableBufferPointer { rowSums in
            columnSums.withUnsafeMutableBufferPointer { columnSums in
                // Tasks write disjoint parts.
                nonisolated(unsafe) let (rowSums, columnSums, gradient) = (rowSums, columnSums, gradient)
                let tasks = axes.slices * tiles * pieces
                Threads.withTeam(of: min(tasks, axes.slices * height * width / Self.elementsPerThread)) { member in
                    for task in member.share(of: 0..<tasks) {
                        let (piece, place) = (task % pieces, task / pieces)
                        let (tile, slice) = (place % tiles, place / tiles)
                        let part = tile * Self.tile..<min(width, (tile + 1) * Self.tile)
                        let sums = columnSums.baseAddress! + (slice * pieces + piece) * width + part.lowerBound
                        for row in height * piece / pieces..<height * (piece + 1) / pieces {
                            let run = (slice / middle * height + row) * middle + slice % middle
                            rowSums[run * tiles + tile] = addSquares(
                                gradient + run * width + part.lowerBound, part.count, sums)
                        }
                    }
                }
            }
        }
        for run in 0..<axes.rowCount {
            move(&rows[run], to: rowSums[run * tiles..<(run + 1) * tiles].reduce(0, +) / Double(width))
        }
        for slice in 0..<axes.slices {
            for column in 0..<width {
                let sum = (0..<pieces).reduce(0) { $0 + columnSums[(slice * pieces + $1) * width + column] }
                move(&columns[slice * width + column], to: sum / Double(height))
            }
        }
    }

    /// Where the second axis is not the last, elements of one row lie apart.
    private func learnElements(
        _ gradient: UnsafePointer<Float>, _ rows: UnsafeMutablePointer<Float>, _ columns: UnsafeMutablePointer<Float>
    ) {
        var rowSums = [Double](repeating: 0, count: axes.rowCount)
        var columnSums = [Double](repeating: 0, count: axes.columnCount)
        axes.forEachElement { element, row, column in
            let square = Double(gradient[element]) * Double(gradient[element])
            rowSums[row] += square
            columnSums[column] += square
        }
        for (row, sum) in rowSums.enumerated() { move(&rows[row], to: sum / Double(axes.columns)) }
        for (column, sum) in columnSums.enumerated() { move(&columns[column], to: sum / Double(axes.rows)) }
    }

    private func move(_ mean: inout Float, to value: Double) {
        // What decays to nothing is forgotten, were it infinite.
        mean = Float((decay == 0 ? 0 : decay * Double(mean)) + (1 - decay) * value)
    }
}
