import Foundation

/// How cells are to be laid out.
struct CellShape {
    /// How many cells there are in half of the bulk.
    var fineness: Double
    /// The widest cell up to an offset of `reach` from the centre.
    var (widest, reach): (Double, Double)

    /// How many cells it is from the centre to where they begin to widen.
    var resolution: Double { 3 * fineness }
}

/// A grid of losses that is uniform around a centre and geometric further out, as floating-point numbers are: cells are
/// `scale` wide, or 1/``CellShape/resolution`` of their distance from the centre where that is more. So it reaches as
/// far as losses do with some hundred cells, and resolves what is near and what is far.
struct CellGrid {
    let centre: Double
    /// Ascending offsets from the centre, at least 2.
    let edges: [Double]

    var cellCount: Int { edges.count - 1 }

    /// Cells from `low` to `high`, offsets from the centre.
    init(centre: Double, scale: Double, shape: CellShape, from low: Double, to high: Double) {
        self.centre = centre
        /// Offsets ≥ 0 up to the first that is at least `end`.
        func offsets(upTo end: Double) -> [Double] {
            var result = [0.0]
            while result.last! < end {
                let last = result.last!
                let width = max(scale, last / shape.resolution)
                result.append(last + (last < shape.reach ? min(width, max(scale, shape.widest)) : width))
            }
            return result
        }
        let (below, above) = (offsets(upTo: -low), offsets(upTo: high))
        var edges = below.dropFirst().reversed().map { -$0 } + above
        // No more than one edge is needed beyond either end.
        if low > 0 {
            edges.removeFirst(edges.lastIndex { $0 <= low } ?? 0)
        }
        if high < 0 {
            edges.removeLast(edges.count - 1 - (edges.firstIndex { $0 >= high } ?? edges.count - 1))
        }
        if edges.count < 2 { edges.append(edges[0] + scale) }
        self.edges = edges
    }
}
