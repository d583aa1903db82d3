import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// What stands in the place of one example's gradient: a multiple of one coordinate, or zero.
struct CanaryRow {
    /// The example's place in its block.
    let example: Int
    /// The column of the layout that is not zero; nil for none.
    let column: Int?
    let value: Float
}

extension FactoredGradients {
    /// The same gradients with rows in the places of some examples', as factors: those of all other examples are as
    /// they were.
    ///
    /// The factors of a layer with a bias cannot say 'kernel alone': a canary in the kernel has 2⁻¹² of its value in
    /// the bias, too.
    func replacing(_ rows: [CanaryRow]) -> FactoredGradients {
        do throws(PrivacyMechanismError) {
            return try FactoredGradients(
                layout: layout, exampleCount: exampleCount, parts: parts.map { replacing(rows, in: $0) })
        } catch {
            fail("Factors that fitted do so with canaries among them: \(error)")
        }
    }

    private func replacing(_ rows: [CanaryRow], in part: Part) -> Part {
        switch part {
        case .dense(let kernel, let bias, var activations, var outputGradients):
            replace(rows, kernel, bias, &activations, &outputGradients, positions: 1)
            return .dense(
                kernel: kernel, bias: bias, activations: activations, outputGradients: outputGradients)
        case .sequence(let kernel, let bias, var activations, var outputGradients, let positions):
            replace(rows, kernel, bias, &activations, &outputGradients, positions: positions)
            return .sequence(
                kernel: kernel, bias: bias, activations: activations, outputGradients: outputGradients,
                positions: positions)
        case .embedding(let table, var indices, var outputGradients, let positions):
            for row in rows {
                let first = row.example * positions
                for position in first..<first + positions { indices[position] = -1 }
                outputGradients.clear(first..<first + positions)
                guard let place = place(of: row, in: table) else { continue }
                indices[first] = place / outputGradients.columns
                outputGradients.set(first, place % outputGradients.columns, to: row.value)
            }
            return .embedding(
                table: table, indices: indices, outputGradients: outputGradients, positions: positions)
        case .rows(let leaves, var matrix):
            for row in rows {
                matrix.clear(row.example..<row.example + 1)
                var begin = 0
                for leaf in leaves {
                    if let place = place(of: row, in: leaf) { matrix.set(row.example, begin + place, to: row.value) }
                    begin += range(of: leaf).count
                }
            }
            return .rows(leaves: leaves, matrix)
        case .joined(let leaf, let uses):
            // Rows of their own, beside uses that know nothing of canaries.
            return .joined(leaf: leaf, uses.map { silencing(rows, in: $0) } + written(rows, leaf))
        case .mapped(let mapped, let map):
            // What the map makes of a canary is not the canary.
            let silent = Part.mapped(silencing(rows, in: mapped), map)
            let own = mapped.leaves.flatMap { written(rows, $0) }
            return own.isEmpty ? silent : .joined(leaf: mapped.leaves[0], [silent] + own)
        }
    }

    private func replace(
        _ rows: [CanaryRow], _ kernel: TreePath, _ bias: TreePath?, _ activations: inout Matrix,
        _ outputGradients: inout Matrix, positions: Int
    ) {
        for row in rows {
            let first = row.example * positions
            activations.clear(first..<first + positions)
            outputGradients.clear(first..<first + positions)
            if let place = place(of: row, in: kernel) {
                let share: Float = bias == nil ? 1 : 0x1p12
                activations.set(first, place / outputGradients.columns, to: share)
                outputGradients.set(first, place % outputGradients.columns, to: row.value / share)
            } else if let bias, let place = place(of: row, in: bias) {
                outputGradients.set(first, place, to: row.value)
            }
        }
    }

    /// A part with zeros in the places of canaries.
    private func silencing(_ rows: [CanaryRow], in part: Part) -> Part {
        replacing(rows.map { CanaryRow(example: $0.example, column: nil, value: 0) }, in: part)
    }

    /// A leaf's rows, zero but for those of canaries; none if there are no canaries in it.
    private func written(_ rows: [CanaryRow], _ leaf: TreePath) -> [Part] {
        let rows = rows.filter { place(of: $0, in: leaf) != nil }
        if rows.isEmpty { return [] }
        var matrix = Matrix(rows: exampleCount, columns: range(of: leaf).count)
        for row in rows {
            if let place = place(of: row, in: leaf) { matrix.set(row.example, place, to: row.value) }
        }
        return [.rows(leaves: [leaf], matrix)]
    }

    private func place(of row: CanaryRow, in leaf: TreePath) -> Int? {
        let range = range(of: leaf)
        return row.column.flatMap { range.contains($0) ? $0 - range.lowerBound : nil }
    }

    private func range(of leaf: TreePath) -> Range<Int> {
        guard let leaf = layout[leaf] else { fail("Gradients have a part of a leaf that they do not have.") }
        return leaf.range
    }
}

extension Matrix {
    fileprivate mutating func clear(_ rows: Range<Int>) {
        withMutableRows(rows) { rows in for index in rows.indices { rows[index] = 0 } }
    }

    fileprivate mutating func set(_ row: Int, _ column: Int, to value: Float) {
        withMutableRow(row) { $0[column] = value }
    }
}
