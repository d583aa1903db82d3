import PyTrees

/// Which directions the gradients of canaries have. Nobody else's, and orthogonal to each other.
public enum CanaryDirections: String, CaseIterable, Hashable, Sendable {
    /// A single parameter each (a Dirac), chosen at random, with as many in every leaf as it can take.
    case coordinates
    /// As many parameters as there are for each, chosen at random over all leaves, with random signs. Of factored
    /// gradients all rows are then multiplied out: the pass over factors is not what is audited.
    case random
}

/// The directions of an audit's canaries. No parameter belongs to two of them, so that they are orthogonal under every
/// scale.
struct PlacedDirections {
    /// One canary's direction, of norm 1.
    struct Direction {
        let columns: [Int]
        /// A number for each column.
        let values: [Float]

        /// Writes a multiple of the direction to a row that holds zeros.
        func write(times size: Float = 1, to row: inout MutableSpan<Float>) {
            for (column, value) in zip(columns, values) { row[column] = size * value }
        }
    }

    let directions: [Direction]
    let kind: CanaryDirections

    /// - Throws: ``AuditingError/outOfRange(name:value:allowed:)`` unless there are from 1 to as many canaries as
    ///   parameters.
    init(
        _ kind: CanaryDirections, count: Int, layout: TreeLayout, using generator: inout some RandomNumberGenerator
    ) throws(AuditingError) {
        guard count >= 1, count <= layout.count else {
            throw .outOfRange(
                name: "the number of canaries", value: "\(count)",
                allowed: "from 1 to as many as there are parameters, \(layout.count)")
        }
        self.kind = kind
        switch kind {
        case .coordinates:
            directions = Self.coordinates(count, layout, &generator).map { Direction(columns: [$0], values: [1]) }
        case .random:
            let order = (0..<layout.count).shuffled(using: &generator)
            directions = (0..<count).map { canary in
                let columns = stride(from: canary, to: order.count, by: count).map { order[$0] }
                let size = (1 / Float(columns.count)).squareRoot()
                return Direction(
                    columns: columns, values: columns.map { _ in Bool.random(using: &generator) ? size : -size })
            }
        }
    }

    /// Distinct columns, a turn after the other one from each leaf that has some left.
    private static func coordinates(
        _ count: Int, _ layout: TreeLayout, _ generator: inout some RandomNumberGenerator
    ) -> [Int] {
        var shares = [Int](repeating: 0, count: layout.leaves.count)
        var left = count
        while left > 0 {
            for leaf in shares.indices where left > 0 && shares[leaf] < layout.leaves[leaf].range.count {
                shares[leaf] += 1
                left -= 1
            }
        }
        let columns = zip(layout.leaves, shares).flatMap { leaf, share in
            leaf.range.shuffled(using: &generator).prefix(share)
        }
        return columns.shuffled(using: &generator)
    }
}
