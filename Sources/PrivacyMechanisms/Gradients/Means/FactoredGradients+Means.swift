import LinearAlgebra
import PyTrees
import Requirements

extension FactoredGradients {
    /// The means of the gradients of `units`, each of which has `size` consecutive examples: factored, with the
    /// examples of a unit as further positions.
    ///
    ///     (1/k) Σ_i a_i e_iᵀ = Σ_i a_i (e_i/k)ᵀ
    ///
    /// What is known as rows is averaged in Float64 and rounded once; losses are averaged, too.
    ///
    /// **Guarantee:** each of the results depends, in every bit, on the examples of its unit alone: the shape of what
    /// is formed depends on `size` and on nothing of other units.
    func means(of units: [Range<Int>], size: Int) -> FactoredGradients {
        require(
            units.allSatisfy { $0.count == size && $0.upperBound <= exampleCount },
            "Means of \(size) of \(exampleCount) examples were asked for, but a unit has others.")
        do throws(PrivacyMechanismError) {
            return try FactoredGradients(
                layout: layout, exampleCount: units.count, parts: parts.map { $0.means(of: units, size: size) },
                nonPrivateLosses: nonPrivateLosses.map { losses in
                    units.map { Float(losses[$0].reduce(0) { $0 + Double($1) } / Double(size)) }
                })
        } catch {
            fail("The means of gradients are not gradients: \(error)")
        }
    }
}

extension FactoredGradients.Part {
    fileprivate func means(of units: [Range<Int>], size: Int) -> FactoredGradients.Part {
        switch self {
        case .dense(let kernel, let bias, let activations, let outputGradients):
            let (activations, outputGradients) = (activations.rows(of: units), outputGradients.rows(of: units))
            if size == 1 {
                return .dense(kernel: kernel, bias: bias, activations: activations, outputGradients: outputGradients)
            }
            return .sequence(
                kernel: kernel, bias: bias, activations: activations,
                outputGradients: outputGradients.divided(by: size), positions: size)
        case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
            return .sequence(
                kernel: kernel, bias: bias, activations: activations.rows(of: units, each: positions),
                outputGradients: outputGradients.rows(of: units, each: positions).divided(by: size),
                positions: size * positions)
        case .embedding(let table, let indices, let outputGradients, let positions):
            return .embedding(
                table: table,
                indices: units.flatMap { indices[$0.lowerBound * positions..<$0.upperBound * positions] },
                outputGradients: outputGradients.rows(of: units, each: positions).divided(by: size),
                positions: size * positions)
        case .joined(let leaf, let uses):
            return .joined(leaf: leaf, uses.map { $0.means(of: units, size: size) })
        case .mapped(let part, let map):
            return .mapped(part.means(of: units, size: size), map)
        case .rows(let leaves, let matrix):
            if size == 1 { return .rows(leaves: leaves, matrix.rows(of: units)) }
            var means = Matrix(rows: units.count, columns: matrix.columns)
            means.withUnsafeMutableElements { elements in
                guard let base = elements.baseAddress else { return }
                RowMeans(rows: units).write(columns: matrix.columns, into: base, row: matrix.unsafeRow)
            }
            return .rows(leaves: leaves, means)
        }
    }
}

extension Matrix {
    /// The rows of `units`, in their order, of a matrix that has `positions` rows for each example; the matrix itself
    /// if those are all.
    fileprivate func rows(of units: [Range<Int>], each positions: Int = 1) -> Matrix {
        let count = units.reduce(0) { $0 + $1.count } * positions
        // Units are disjoint and in order, so that as many rows are all rows.
        if count == rows { return self }
        var result = Matrix(rows: count, columns: columns)
        result.withUnsafeMutableElements { target in
            guard var next = target.baseAddress else { return }
            for unit in units {
                next.update(from: unsafeRow(unit.lowerBound * positions), count: unit.count * positions * columns)
                next += unit.count * positions * columns
            }
        }
        return result
    }

    /// Each element divided by `divisor`.
    fileprivate func divided(by divisor: Int) -> Matrix {
        if divisor == 1 { return self }
        var result = Matrix(rows: rows, columns: columns)
        result.withUnsafeMutableElements { target in
            withUnsafeElements { source in
                guard let target = target.baseAddress, let source = source.baseAddress else { return }
                Kernels.active.scaled(source, 1 / Double(divisor), rows * columns, target)
            }
        }
        return result
    }
}
