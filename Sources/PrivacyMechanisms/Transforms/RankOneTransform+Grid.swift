import LinearAlgebra
import PyTrees
import Requirements

extension RankOneTransform {
    /// Calls `body` with the images of all leaves that have elements, on their way to an exact sum.
    ///
    /// No image is written to memory, which would cost more than the products of short positions do:
    ///
    /// - The factors of a dense layer are multiplied as they are rounded to whole numbers.
    /// - Those of layers with positions whose norms Gram matrices answer, and rows of embeddings, are multiplied in the
    ///   cache of the thread that uses them.
    /// - All other gradients are formed element by element on the way, and multiplied by the scale's elements as they
    ///   are measured and as they are rounded to the grid.
    ///
    /// **Guarantee:** what is measured is what is added: of a dense layer the whole numbers themselves, of all else the
    /// image. It is a function of the example and the scale, in every bit.
    func withGridLeaves(of gradients: FactoredGradients, on grid: SumGrid, _ body: ([any GridLeaf]) -> Void) {
        let count = gradients.exampleCount
        scale.withUnsafeValues { scale in
            guard let scale = scale.baseAddress else { return body([]) }
            let scaled = gradients.factors.filter { !$0.columns.isEmpty }.map { (factor: $0, form: form(of: $0)) }
            let elements = FloatScratch(
                count: scaled.reduce(0) { $1.form.isWritten ? $0 + $1.factor.columns.count : $0 })
            var next = elements.base
            body(
                scaled.map { factor, form in
                    switch form {
                    case .product(let outer, let place):
                        return OuterGridLeaf(
                            factor: outer, exampleCount: count,
                            scale: .rankOne(rows: scale + place.moments, columns: scale + place.columnMoments),
                            grid: grid)
                    case .image(let image):
                        return image.gridLeaf(exampleCount: count, scale: nil, grid: grid)
                    case .vector(let place):
                        return factor.gridLeaf(exampleCount: count, scale: scale + place.moments, grid: grid)
                    case .matrix:
                        writeOnAllThreads(factor.columns, to: next)
                        defer { next += factor.columns.count }
                        return factor.gridLeaf(exampleCount: count, scale: next, grid: grid)
                    }
                })
        }
    }

    /// How a leaf is scaled. Shapes alone decide it.
    private enum GridForm {
        /// The outer product of a dense layer.
        case product(OuterFactor, FactoredLayout.Leaf)
        /// A factor that multiplies by itself.
        case image(any GradientFactor)
        /// A leaf that is not a matrix: the scale has its elements.
        case vector(FactoredLayout.Leaf)
        /// A matrix for which the elements of the scale are written out.
        case matrix

        var isWritten: Bool {
            if case .matrix = self { true } else { false }
        }
    }

    private func form(of factor: any GradientFactor) -> GridForm {
        let place = place(of: factor.columns)
        if place.axes == nil { return .vector(place) }
        switch factor {
        case let factor as OuterFactor: return .product(factor, place)
        case var factor as SequenceFactor where PositionGram(factor: factor) != nil:
            factor.weights = weights(of: place)
            return .image(factor)
        case var factor as EmbeddingFactor:
            factor.weights = weights(of: place)
            return .image(factor)
        default: return .matrix
        }
    }

    private func place(of columns: Range<Int>) -> FactoredLayout.Leaf {
        var found: FactoredLayout.Leaf?
        factors.forEachPart(of: columns) { leaf, part in if part == columns { found = factors.leaves[leaf] } }
        guard let found, found.range == columns else { fail("No leaf of the scale has the columns \(columns).") }
        return found
    }

    private func writeOnAllThreads(_ columns: Range<Int>, to target: UnsafeMutablePointer<Float>) {
        let length = 1 << 14
        TaskTeam.run(tasks: TaskTeam.pieces(of: columns.count, length: length), work: columns.count) { task, _ in
            let piece = TaskTeam.piece(task, of: columns.count, length: length)
            write(
                columns.lowerBound + piece.lowerBound..<columns.lowerBound + piece.upperBound,
                to: target + piece.lowerBound)
        }
    }
}
