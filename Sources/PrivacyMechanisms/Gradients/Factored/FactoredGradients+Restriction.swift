import LinearAlgebra
import PyTrees
import Requirements

extension FactoredGradients: RestrictableGradients {
    /// The factors of the selected leaves; the gradients themselves if all are selected.
    ///
    /// Factors are shared, not copied, but for parts that are rows and lose some of their leaves.
    public func restricted(to mask: TreeMask, memory: inout Matrix) -> FactoredGradients {
        require(
            mask.layout == layout, "A mask of layout\n\(mask.layout)\ndoes not fit gradients of layout\n\(layout)")
        if mask.selection.allSatisfy({ $0 }) { return self }
        return images(layout: mask.selectedLayout) { $0.restricted(to: mask).map { [$0] } ?? [] }
    }
}

extension FactoredGradients.Part {
    /// The part of the selected leaves; nil if there are none.
    fileprivate func restricted(to mask: TreeMask) -> FactoredGradients.Part? {
        switch self {
        case .dense(let kernel, let bias, let activations, let outputGradients):
            let bias = bias.flatMap { mask[$0] == true ? $0 : nil }
            guard mask[kernel] != true else {
                return .dense(
                    kernel: kernel, bias: bias, activations: activations, outputGradients: outputGradients)
            }
            return bias.map { .rows(leaves: [$0], outputGradients) }
        case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
            let bias = bias.flatMap { mask[$0] == true ? $0 : nil }
            guard mask[kernel] != true else {
                return .sequence(
                    kernel: kernel, bias: bias, activations: activations, outputGradients: outputGradients,
                    positions: positions)
            }
            return bias.map { .rows(leaves: [$0], outputGradients.summedOverPositions(positions)) }
        case .embedding(let table, _, _, _):
            return mask[table] == true ? self : nil
        case .joined(let leaf, _):
            return mask[leaf] == true ? self : nil
        case .mapped(let part, let map):
            return part.restricted(to: mask).map { .mapped($0, map) }
        case .rows(let leaves, let matrix):
            let kept = leaves.filter { mask[$0] == true }
            if kept.isEmpty { return nil }
            if kept.count == leaves.count { return self }
            return .rows(leaves: kept, matrix.columns(of: kept, among: leaves, mask))
        }
    }
}

extension Matrix {
    /// The columns of the leaves `kept`, of which a row of this matrix has those of `leaves` beside each other.
    fileprivate func columns(of kept: [TreePath], among leaves: [TreePath], _ mask: TreeMask) -> Matrix {
        let lengths = leaves.map { (isKept: kept.contains($0), count: mask.layout[$0]?.range.count ?? 0) }
        var result = Matrix(rows: rows, columns: lengths.reduce(0) { $0 + ($1.isKept ? $1.count : 0) })
        result.withUnsafeMutableElements { target in
            guard var next = target.baseAddress else { return }
            for row in 0..<rows {
                var source = unsafeRow(row)
                for (isKept, count) in lengths {
                    if isKept {
                        next.update(from: source, count: count)
                        next += count
                    }
                    source += count
                }
            }
        }
        return result
    }
}
