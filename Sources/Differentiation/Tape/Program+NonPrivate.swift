import LinearAlgebra
import Requirements

extension Program {
    /// The sum of the examples' gradients times `share`, straight from products over the whole batch: the baseline to
    /// which private training is compared. **Nothing about it is private.**
    ///
    /// - Parameters:
    ///   - uses: what ``backward(_:at:memory:)`` found.
    ///   - gradient: `layout.count` numbers, which are overwritten.
    package func writeNonPrivateGradient(
        _ uses: [[ParameterGradient<Float>]], share: Float, into gradient: UnsafeMutableBufferPointer<Float>
    ) {
        for (leaf, uses) in zip(layout.leaves, uses) where !leaf.range.isEmpty {
            let target = gradient.baseAddress! + leaf.range.lowerBound
            if uses.isEmpty { target.update(repeating: 0, count: leaf.range.count) }
            for (place, use) in uses.enumerated() {
                use.addSum(share: share, count: leaf.range.count, isFirst: place == 0, to: target)
            }
        }
    }
}

extension ParameterGradient<Float> {
    /// Adds share · Σ of all examples' gradients to `target`, or overwrites it.
    fileprivate func addSum(share: Float, count: Int, isFirst: Bool, to target: UnsafeMutablePointer<Float>) {
        switch self {
        case .outer(let activations, let outputGradients, _):
            BLAS.gemm(
                rows: activations.columns, columns: outputGradients.columns, inner: outputGradients.rows,
                activations.base, .transposed, outputGradients.base, .none, alpha: share, beta: isFirst ? 0 : 1,
                into: target)
        case .mapped(let activations, let outputGradients, let positions, let map):
            var sum = [Float](repeating: 0, count: count)
            sum.withUnsafeMutableBufferPointer { sum in
                Self.outer(activations: activations, outputGradients: outputGradients, positions: positions)
                    .addSum(share: share, count: count, isFirst: true, to: sum.baseAddress!)
                map(sum)
                for index in 0..<count { target[index] = sum[index] + (isFirst ? 0 : target[index]) }
            }
        case .lookup(let indices, let outputGradients, _):
            if isFirst { target.update(repeating: 0, count: count) }
            for (row, index) in indices.enumerated() where index >= 0 {
                let width = outputGradients.columns
                let (source, sum) = (outputGradients.base + row * width, target + index * width)
                for column in 0..<width { sum[column] += share * source[column] }
            }
        case .sums(let outputGradients, _): outputGradients.addColumnSums(share: share, isFirst: isFirst, to: target)
        case .rows(let rows): rows.addColumnSums(share: share, isFirst: isFirst, to: target)
        }
    }
}

extension NumberBlock<Float> {
    /// Adds share · Eᵀ1 to `target`, or overwrites it.
    fileprivate func addColumnSums(share: Float, isFirst: Bool, to target: UnsafeMutablePointer<Float>) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, rows)) { ones in
            ones.initialize(repeating: 1)
            BLAS.gemv(
                matrix, .transposed, UnsafeBufferPointer(rebasing: ones[..<rows]), alpha: share,
                beta: isFirst ? 0 : 1, into: UnsafeMutableBufferPointer(start: target, count: columns))
        }
    }
}
