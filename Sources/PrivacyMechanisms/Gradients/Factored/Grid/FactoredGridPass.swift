import LinearAlgebra
import PyTrees

/// One microbatch of factored gradients on its way to an exact sum: norms, factors, integers, sum.
///
/// **Guarantee:** the integers of an example have, in each group of columns, a norm of at most M_k less what the one
/// rounding of finer sums can add: adding or removing the example moves the sum by at most M in norm. The norm that is
/// compared is that of the integers themselves, not of what was to be rounded: a factor under which it is too large is
/// made smaller, and an example for which none is found contributes nothing.
struct FactoredGridPass {
    let gradients: FactoredGradients
    let scale: GridScale
    let bounds: ClippingBounds
    let grid: SumGrid
    let padding: [Bool]?

    /// What rounding usually adds to a norm at the bound: the first factor that is tried leaves room for it.
    private static let usualRounding = 0x1p-11
    /// How much of a factor rounding may take before finer measures are asked for.
    private static let mostRounding = 0x1p-8
    /// How much of a norm rounding may take away, of contributions that are not small, before it does so.
    private static let mostLost = 0x1p-4
    private static let leastRefined = 0x1p-6
    private static let attempts = 12

    /// A leaf, and the group that it is in.
    private struct Member {
        let leaf: any GridLeaf
        let group: Int
    }

    /// Adds the examples to `sum`; writes squared norms, an example's groups beside each other, to `norms`.
    func run(sum: GridSum, norms: UnsafeMutableBufferPointer<Double>?) {
        let count = gradients.exampleCount
        if count == 0 { return }
        scale.withLeaves(of: gradients, on: grid) { leaves in
            let members = leaves.map { Member(leaf: $0, group: bounds.groups.group(of: $0.columns)) }
            prepare(members)
            let factors = place(members, norms: norms)
            for begin in stride(from: 0, to: count, by: grid.examplesIn32Bits) {
                let examples = begin..<min(begin + grid.examplesIn32Bits, count)
                for member in members {
                    member.leaf.addRows(of: examples, factors: factors[member.group], to: sum, on: grid)
                }
            }
            for member in members { member.leaf.addProducts(factors: factors[member.group], to: sum, on: grid) }
        }
    }

    /// Lets the leaves choose how to take each example, with the factors that its norms will about have.
    private func prepare(_ members: [Member]) {
        let count = gradients.exampleCount
        var expected = [[Double]](repeating: Array(repeating: 0, count: count), count: bounds.groups.count)
        for example in 0..<count {
            let squares = squaredNorms(members) { $0.estimatedSquaredNorm(of: example) }
            var factors = squares
            factors.withUnsafeMutableBufferPointer {
                bounds.replaceSquaredNorms($0, isPadding: padding?[example] ?? false)
            }
            for (group, factor) in factors.enumerated() where factor != 0 && squares[group] > 0 {
                expected[group][example] = grid.factor(
                    ruleFactor: factor, norm: squares[group].squareRoot(), rounding: 0, group: group)
            }
        }
        for member in members { member.leaf.prepare(expectedFactors: expected[member.group]) }
    }

    /// Finds the factors of all examples, a list for each group.
    private func place(_ members: [Member], norms: UnsafeMutableBufferPointer<Double>?) -> [[Double]] {
        let (count, groups) = (gradients.exampleCount, bounds.groups.count)
        var table = [Double](repeating: 0, count: count * groups)
        table.withUnsafeMutableBufferPointer { table in
            // Tasks write what belongs to their example only.
            nonisolated(unsafe) let (table, norms) = (table, norms)
            TaskTeam.run(tasks: count, work: 16 * count * bounds.layout.count / 256) { example, _ in
                let own = UnsafeMutableBufferPointer(rebasing: table[example * groups..<(example + 1) * groups])
                place(example, members, into: own) { squares in
                    for (group, square) in squares.enumerated() { norms?[example * groups + group] = square }
                }
            }
        }
        return (0..<groups).map { group in (0..<count).map { table[$0 * groups + group] } }
    }

    private func place(
        _ example: Int, _ members: [Member], into factors: UnsafeMutableBufferPointer<Double>,
        report: ([Double]) -> Void
    ) {
        let isPadding = padding?[example] ?? false
        // A leaf that measures an example in another way from here on does so once.
        for round in 0...members.count {
            let squares = squaredNorms(members) { $0.squaredNorm(of: example) }
            if round == 0 { report(squares) }
            for (group, square) in squares.enumerated() { factors[group] = square }
            bounds.replaceSquaredNorms(factors, isPadding: isPadding)
            var isSettled = true
            for group in factors.indices where factors[group] != 0 {
                let norm = squares[group].squareRoot()
                guard let factor = settle(example, group, members, ruleFactor: factors[group], norm: norm) else {
                    isSettled = false
                    break
                }
                factors[group] = factor
            }
            if isSettled { return }
        }
        factors.update(repeating: 0)
    }

    private func squaredNorms(_ members: [Member], of leaf: (any GridLeaf) -> Double) -> [Double] {
        var squares = [Double](repeating: 0, count: bounds.groups.count)
        for member in members { squares[member.group] += leaf(member.leaf) }
        return squares
    }

    /// The factor under which the integers of an example in a group are within M_k; nil if a leaf measures the example
    /// in another way now.
    private func settle(
        _ example: Int, _ group: Int, _ members: [Member], ruleFactor: Double, norm: Double
    ) -> Double? {
        if norm == 0 { return 0 }
        let fine = members.reduce(0) { $0 + ($1.group == group ? $1.leaf.fineColumns(of: example) : 0) }
        let rounding = GridRounding.ofSum(columns: fine)
        let room = grid.bounds[group] - rounding
        let first = grid.factor(
            ruleFactor: ruleFactor, norm: norm * (1 + Self.usualRounding), rounding: rounding, group: group)
        var factor = first
        for _ in 0..<Self.attempts where factor > 0 {
            var square = 0.0
            for member in members where member.group == group {
                guard let bound = member.leaf.place(example, factor: factor) else { return nil }
                square += bound * bound
            }
            let bound = square.squareRoot() * (1 + Double(members.count + 4) * 0x1p-52)
            if bound <= room {
                // Less than was to be added, and more than the grid's own rows lose: numbers were rounded away.
                let isLost = factor * norm > Self.leastRefined * room && bound < factor * norm * (1 - Self.mostLost)
                return isLost && refine(example, group, members) ? nil : factor
            }
            factor *= room / bound * (1 - Self.usualRounding)
            if factor < first * (1 - Self.mostRounding), refine(example, group, members) { return nil }
        }
        return 0
    }

    private func refine(_ example: Int, _ group: Int, _ members: [Member]) -> Bool {
        members.reduce(false) { $1.group == group && $1.leaf.refine(example) || $0 }
    }
}
