import LinearAlgebra
import Requirements

/// The gradients of a leaf that is used several times, or mapped: the sum of its uses, one example at a time.
///
/// An example's gradient *is* the Float32 sum of its uses in their order, after the map: both questions form this same
/// sum, so that what is added has exactly the norm that was measured, however the uses cancel each other.
struct JoinedFactor: GradientFactor {
    let columns: Range<Int>
    let exampleCount: Int
    let uses: [any GradientFactor]
    var map: (@Sendable (UnsafeMutableBufferPointer<Float>) -> Void)?

    /// Rows that are formed at once before they are added up, in elements: some megabytes.
    private static let blockElements = 1 << 20

    /// What several uses of one leaf are together: where all are products, one product with the positions of all.
    static func join(
        _ uses: [any GradientFactor], columns: Range<Int>, exampleCount: Int
    ) -> any GradientFactor {
        if uses.count == 1 { return uses[0] }
        let products = uses.compactMap(PositionProduct.init)
        guard !uses.isEmpty, products.count == uses.count else {
            return JoinedFactor(columns: columns, exampleCount: exampleCount, uses: uses)
        }
        return SequenceFactor(
            columns: columns, activations: products.map { ($0.activations, $0.positions) }.joined(exampleCount),
            outputGradients: products.map { ($0.outputGradients, $0.positions) }.joined(exampleCount),
            positions: products.reduce(0) { $0 + $1.positions })
    }

    /// Writes one example's gradient; `term` holds as many elements.
    private func form(_ example: Int, in row: UnsafeMutablePointer<Float>, term: UnsafeMutablePointer<Float>) {
        guard let first = uses.first else { return row.update(repeating: 0, count: columns.count) }
        first.copyGradient(of: example, into: row)
        for use in uses.dropFirst() {
            use.copyGradient(of: example, into: term)
            for index in 0..<columns.count { row[index] += term[index] }
        }
        map?(UnsafeMutableBufferPointer(start: row, count: columns.count))
    }

    func squaredNorms(of examples: Range<Int>, under scale: UnsafePointer<Float>?, into norms: inout [Double]) {
        let kernels = Kernels.active
        norms.withUnsafeMutableBufferPointer { norms in
            withRows(of: examples.count) { index, row, term in
                form(examples.lowerBound + index, in: row, term: term)
                var source = UnsafePointer(row)
                kernels.squared_norms(&source, 1, 0, columns.count, scale, norms.baseAddress! + index)
            }
        }
    }

    /// Calls `body` for each of `count` examples with memory for a row and a term, on several threads.
    private func withRows(
        of count: Int, _ body: (Int, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) {
        TaskTeam.run(
            tasks: count, work: count * columns.count * max(1, uses.count), scratchBytes: 8 * columns.count
        ) { index, scratch in
            let row = scratch.bindMemory(to: Float.self, capacity: 2 * columns.count)
            body(index, row, row + columns.count)
        }
    }

    func addWeightedSum(of examples: [WeightedExample], to sum: UnsafeMutablePointer<Double>) {
        forEachBlock(of: examples) { rows, weighted in rows.addWeightedSum(of: weighted, to: sum) }
    }

    /// Calls `body` with some of the examples at a time, their gradients formed.
    private func forEachBlock(of examples: [WeightedExample], _ body: (RowsFactor, [WeightedExample]) -> Void) {
        if uses.isEmpty || columns.isEmpty { return }
        let length = max(1, min(examples.count, Self.blockElements / columns.count))
        var block = Matrix(rows: length, columns: columns.count)
        for begin in stride(from: 0, to: examples.count, by: length) {
            let members = Array(examples[begin..<min(begin + length, examples.count)])
            block.withUnsafeMutableElements { elements in
                let base = elements.baseAddress!
                withRows(of: members.count) { index, _, term in
                    form(members[index].example, in: base + index * columns.count, term: term)
                }
            }
            let placed = members.indices.map { index in
                WeightedExample(
                    example: index, clipFactor: members[index].clipFactor, isNarrow: members[index].isNarrow)
            }
            body(RowsFactor(columns: columns, matrix: block, offset: 0), placed)
        }
    }

    func copyGradient(of example: Int, into row: UnsafeMutablePointer<Float>) {
        let term = FloatScratch(count: columns.count)
        form(example, in: row, term: term.base)
    }
}

extension JoinedFactor: RowwiseGridFactor {
    var mostNonzeroElements: Int { uses.isEmpty ? 0 : columns.count }

    func addGridSum(
        of examples: [WeightedExample], under scale: UnsafePointer<Float>?, to sum: UnsafeMutablePointer<Int32>
    ) {
        forEachBlock(of: examples) { rows, weighted in rows.addGridSum(of: weighted, under: scale, to: sum) }
    }
}

/// A use of a kernel: Σ_t a_t e_tᵀ.
private struct PositionProduct {
    let activations: Matrix
    let outputGradients: Matrix
    let positions: Int

    init?(_ factor: any GradientFactor) {
        if let factor = factor as? OuterFactor {
            (activations, outputGradients, positions) = (factor.activations, factor.outputGradients, 1)
        } else if let factor = factor as? SequenceFactor {
            require(factor.weights == nil, "A use with a scale of its own was to be joined with others.")
            (activations, outputGradients, positions) = (factor.activations, factor.outputGradients, factor.positions)
        } else {
            return nil
        }
    }
}

extension [(matrix: Matrix, positions: Int)] {
    /// Each example's rows of all matrices beside each other.
    fileprivate func joined(_ exampleCount: Int) -> Matrix {
        let columns = self[0].matrix.columns
        var result = Matrix(rows: exampleCount * reduce(0) { $0 + $1.positions }, columns: columns)
        result.withUnsafeMutableElements { target in
            guard var next = target.baseAddress else { return }
            for example in 0..<exampleCount {
                for (matrix, positions) in self {
                    next.update(from: matrix.unsafeRow(example * positions), count: positions * columns)
                    next += positions * columns
                }
            }
        }
        return result
    }
}
