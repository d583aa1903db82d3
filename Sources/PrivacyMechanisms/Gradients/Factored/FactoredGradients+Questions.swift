import LinearAlgebra
import PyTrees

extension FactoredGradients {
    /// Question 1.
    public func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        precondition(
            norms.count == examples.count * groups.count,
            "\(norms.count) norms are not \(examples.count) examples × \(groups.count) groups.")
        var squares = [Double](repeating: 0, count: norms.count)
        var row = [Float](repeating: 0, count: layout.count)
        scale.withUnsafeValues(matching: layout) { scale in
            for (index, example) in examples.enumerated() {
                var span = row.mutableSpan
                copyGradient(of: example, into: &span)
                for (group, columns) in groups.ranges.enumerated() {
                    row.withUnsafeBufferPointer {
                        guard var base = $0.baseAddress else { return }
                        Kernels.active.squared_norms(
                            &base, 1, columns.lowerBound, columns.count, scale, &squares[index * groups.count + group])
                    }
                }
            }
        }
        for index in squares.indices { norms[index] = squares[index] }
    }

    /// Question 2.
    public func addWeightedSum(
        of examples: Range<Int>, coefficients: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        precondition(
            coefficients.count == examples.count * groups.count,
            "\(coefficients.count) coefficients are not \(examples.count) examples × \(groups.count) groups.")
        var row = [Float](repeating: 0, count: layout.count)
        for (index, example) in examples.enumerated() {
            var span = row.mutableSpan
            copyGradient(of: example, into: &span)
            for (group, columns) in groups.ranges.enumerated() {
                let coefficient = coefficients[index * groups.count + group]
                if coefficient != 0 {
                    sum.add(row.span.extracting(columns), times: coefficient, at: columns.lowerBound)
                }
            }
        }
    }

    /// Writes the gradient, products rounded to Float32.
    public func copyGradient(of example: Int, into row: inout MutableSpan<Float>) {
        precondition(
            row.count == layout.count, "A row of \(row.count) elements does not hold \(layout.count) parameters.")
        for column in 0..<row.count { row[column] = 0 }
        for factor in factors {
            let begin = factor.columns.lowerBound
            switch factor {
            case .outer(_, let activations, let errors):
                for p in 0..<activations.columns {
                    for q in 0..<errors.columns {
                        row[begin + p * errors.columns + q] = activations[example, p] * errors[example, q]
                    }
                }
            case .sequence(_, let activations, let errors, let positions):
                for t in example * positions..<(example + 1) * positions {
                    for p in 0..<activations.columns {
                        for q in 0..<errors.columns {
                            row[begin + p * errors.columns + q] += activations[t, p] * errors[t, q]
                        }
                    }
                }
            case .embedding(_, let indices, let errors, let positions):
                for t in example * positions..<(example + 1) * positions where indices[t] >= 0 {
                    for q in 0..<errors.columns { row[begin + indices[t] * errors.columns + q] += errors[t, q] }
                }
            case .rows(let columns, let matrix, let offset):
                for q in 0..<columns.count { row[begin + q] = matrix[example, offset + q] }
            case .positionSum(_, let errors, let positions):
                for t in example * positions..<(example + 1) * positions {
                    for q in 0..<errors.columns { row[begin + q] += errors[t, q] }
                }
            }
        }
    }
}
