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
            let (rows, columns) = scales(of: kernel)
            let image = FactoredGradients.Part.dense(
                kernel: kernel, bias: nil, activations: activations.multiplied(by: rows),
                outputGradients: outputGradients.multiplied(by: columns))
            return [image] + (bias.map { [imageOfRows([$0], outputGradients)] } ?? [])
        case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
            let (rows, columns) = scales(of: kernel)
            let image = FactoredGradients.Part.sequence(
                kernel: kernel, bias: nil, activations: activations.multiplied(by: rows),
                outputGradients: outputGradients.multiplied(by: columns), positions: positions)
            return [image] + (bias.map { [imageOfRows([$0], outputGradients.summedOverPositions(positions))] } ?? [])
        case .embedding(let table, let indices, let outputGradients, let positions):
            let (rows, columns) = scales(of: table)
            return [
                .embedding(
                    table: table, indices: indices,
                    outputGradients: outputGradients.multiplied(by: columns, rows, at: indices), positions: positions)
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

    /// ρ and γ of a matrix; both empty for one without elements.
    private func scales(of path: TreePath) -> (rows: ArraySlice<Float>, columns: ArraySlice<Float>) {
        let leaf = factors.leaves[parameterLayout.index(of: path)!]
        let (rows, columns) = (leaf.axes?.rowCount ?? 0, leaf.axes?.columnCount ?? 0)
        return (
            scale.values[leaf.moments..<leaf.moments + rows],
            scale.values[leaf.columnMoments..<leaf.columnMoments + columns]
        )
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

    /// Each row times `weights` and times the number of `factors` that its index names; rows whose index is -1 are
    /// only padding, and stay as they are.
    fileprivate func multiplied(
        by weights: ArraySlice<Float>, _ factors: ArraySlice<Float>, at indices: [Int]
    ) -> Matrix {
        if weights.isEmpty { return self }
        let kernels = Kernels.active
        return rowByRow { row, source, target in
            guard indices[row] >= 0 else { return target.update(from: source, count: columns) }
            weights.withUnsafeBufferPointer {
                // As the elements of the scale are written out: the weights first, rounded once.
                kernels.scaled(
                    $0.baseAddress!, Double(factors[factors.startIndex + indices[row]]), columns, target)
            }
            kernels.multiplied(source, target, columns, target)
        }
    }

    private func rowByRow(
        _ body: (_ row: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) -> Void
    ) -> Matrix {
        var result = Matrix(rows: rows, columns: columns)
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
