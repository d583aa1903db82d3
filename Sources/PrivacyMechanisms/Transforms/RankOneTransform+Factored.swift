import LinearAlgebra
import PyTrees
import Requirements

extension RankOneTransform {
    /// The images of factored gradients, factored: each factor is multiplied by its half of the scale.
    ///
    /// A bias becomes rows of its own. Traps if the gradients have another layout. O(elements of the factors).
    public func transformed(_ gradients: FactoredGradients) -> FactoredGradients? {
        require(
            gradients.layout == parameterLayout,
            "Gradients of layout\n\(gradients.layout)\ndo not fit a transform of\n\(parameterLayout)")
        return gradients.images(layout: parameterLayout, images)
    }

    /// The images of a part's leaves, each in a part of its own.
    func images(of part: FactoredGradients.Part) -> [FactoredGradients.Part] {
        switch part {
        case .dense(let kernel, let bias, let activations, let outputGradients):
            let weights = weights(of: kernel)
            let image = FactoredGradients.Part.dense(
                kernel: kernel, bias: nil, activations: activations.multiplied(by: weights.rows),
                outputGradients: outputGradients.multiplied(by: weights.columns))
            return [image] + (bias.map { [imageOfRows([$0], outputGradients)] } ?? [])
        case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
            let weights = weights(of: kernel)
            let image = FactoredGradients.Part.sequence(
                kernel: kernel, bias: nil, activations: activations.multiplied(by: weights.rows),
                outputGradients: outputGradients.multiplied(by: weights.columns), positions: positions)
            return [image] + (bias.map { [imageOfRows([$0], outputGradients.summedOverPositions(positions))] } ?? [])
        case .embedding(let table, let indices, let outputGradients, let positions):
            let weights = weights(of: table)
            return [
                .embedding(
                    table: table, indices: indices,
                    outputGradients: outputGradients.multiplied(by: weights, at: indices), positions: positions)
            ]
        case .rows(let leaves, let matrix):
            return [imageOfRows(leaves, matrix)]
        case .joined(let leaf, let uses):
            return [.joined(leaf: leaf, uses.flatMap(images))]
        case .mapped(let part, let map):
            let written = writtenScale(of: part.leaves)
            return [
                .mapped(part) { gradient in
                    map(gradient)
                    for index in gradient.indices { gradient[index] *= written[index] }
                }
            ]
        }
    }

    /// The two halves of a matrix's scale; both empty for one without elements.
    private func weights(of path: TreePath) -> RankOneWeights {
        weights(of: factors.leaves[parameterLayout.index(of: path)!])
    }

    /// The same for the matrix that a leaf is.
    func weights(of leaf: FactoredLayout.Leaf) -> RankOneWeights {
        let (rows, columns) = (leaf.axes?.rowCount ?? 0, leaf.axes?.columnCount ?? 0)
        return RankOneWeights(
            rows: scale.values[leaf.moments..<leaf.moments + rows],
            columns: scale.values[leaf.columnMoments..<leaf.columnMoments + columns])
    }

    /// Leaves that follow each other, known as they are.
    private func imageOfRows(_ leaves: [TreePath], _ matrix: Matrix) -> FactoredGradients.Part {
        .rows(leaves: leaves, matrix.multiplied(by: writtenScale(of: leaves)[...]))
    }

    /// The scale of leaves that follow each other, element by element.
    private func writtenScale(of leaves: [TreePath]) -> [Float] {
        let ranges = leaves.compactMap { parameterLayout[$0]?.range }
        guard let begin = ranges.first?.lowerBound, let end = ranges.last?.upperBound else { return [] }
        return [Float](unsafeUninitializedCapacity: end - begin) { written, count in
            count = end - begin
            if let written = written.baseAddress { write(begin..<end, to: written) }
        }
    }
}

extension Matrix {
    /// Each row, element by element, times `weights`; the matrix itself if there are none.
    fileprivate func multiplied(by weights: ArraySlice<Float>) -> Matrix {
        if weights.isEmpty { return self }
        let kernels = Kernels.active
        return rowByRow { row, source, target in
            weights.withUnsafeBufferPointer { kernels.multiplied(source, $0.baseAddress!, columns, target) }
        }
    }

    /// Each row times the row of the scale that its index names; rows whose index is -1 are only padding, and stay as
    /// they are.
    fileprivate func multiplied(by weights: RankOneWeights, at indices: [Int]) -> Matrix {
        if weights.columns.isEmpty { return self }
        let kernels = Kernels.active
        return rowByRow { row, source, target in
            guard indices[row] >= 0 else { return target.update(from: source, count: columns) }
            weights.write(row: indices[row], 0..<columns, to: target)
            kernels.multiplied(source, target, columns, target)
        }
    }

    private func rowByRow(
        _ body: (_ row: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) -> Void
    ) -> Matrix {
        var result = Matrix(undefinedRows: rows, columns: columns)
        result.withUnsafeMutableElements { elements in
            guard let base = elements.baseAddress else { return }
            let length = max(1, (1 << 12) / max(1, columns))
            TaskTeam.run(tasks: TaskTeam.pieces(of: rows, length: length), work: count / 2) { task, _ in
                for row in TaskTeam.piece(task, of: rows, length: length) {
                    body(row, unsafeRow(row), base + row * columns)
                }
            }
        }
        return result
    }
}
