import LinearAlgebra
import PrivacyMechanisms
import PyTrees

extension KroneckerTransform {
    /// The images of factored gradients, factored: A·(a eᵀ)·B = (A a)(B e)ᵀ. Traps if they have another layout.
    ///
    /// A bias becomes rows of its own where the kernel beside it is multiplied. An embedding whose table has factors
    /// becomes a layer with positions, since A spreads each index over all rows.
    ///
    /// - Complexity: 2·(m² + n²) operations for each matrix leaf, example and position.
    public func transformed(_ gradients: FactoredGradients) -> FactoredGradients? {
        precondition(
            gradients.layout == parameterLayout,
            "Gradients of layout\n\(gradients.layout)\ndo not fit a transform of\n\(parameterLayout)")
        do throws(PrivacyMechanismError) {
            return try FactoredGradients(
                layout: transformedLayout, exampleCount: gradients.exampleCount, parts: gradients.parts.flatMap(images),
                nonPrivateLosses: gradients.nonPrivateLosses)
        } catch {
            preconditionFailure("The images of factored gradients are not gradients: \(error)")
        }
    }

    private func images(of part: FactoredGradients.Part) -> [FactoredGradients.Part] {
        switch part {
        case .dense(let kernel, let bias, let activations, let errors):
            guard let map = map(of: kernel) else { return [part] }
            let image = FactoredGradients.Part.dense(
                kernel: kernel, bias: nil, activations: multipliedFromLeft(activations, map),
                errors: multipliedFromRight(errors, map))
            return [image] + (bias.map { [.rows(leaves: [$0], errors)] } ?? [])
        case .sequence(let kernel, let bias, let activations, let errors, let positions):
            guard let map = map(of: kernel) else { return [part] }
            let image = FactoredGradients.Part.sequence(
                kernel: kernel, bias: nil, activations: multipliedFromLeft(activations, map),
                errors: multipliedFromRight(errors, map), positions: positions)
            return [image] + (bias.map { [.rows(leaves: [$0], errors.summedOverPositions(positions))] } ?? [])
        case .embedding(let table, let indices, let errors, let positions):
            guard let map = map(of: table) else { return [part] }
            return [image(ofTable: table, map, indices, errors, positions)]
        case .rows(let leaves, let matrix):
            return [.rows(leaves: leaves, images(of: leaves, matrix))]
        }
    }

    /// The leaf's factors; nil if it stays as it is.
    private func map(of path: TreePath) -> LeafMap? {
        let map = maps[parameterLayout.index(of: path)!]
        return map.left == nil ? nil : map
    }

    private func multipliedFromLeft(_ activations: Matrix, _ map: LeafMap) -> Matrix {
        multiplied(activations, factor: map.left!, .transposed)
    }

    private func multipliedFromRight(_ errors: Matrix, _ map: LeafMap) -> Matrix {
        multiplied(errors, factor: map.right!, .none)
    }

    private func image(
        ofTable table: TreePath, _ map: LeafMap, _ indices: [Int], _ errors: Matrix, _ positions: Int
    ) -> FactoredGradients.Part {
        var activations = Matrix(rows: indices.count, columns: map.m)
        var used = errors
        for (place, index) in indices.enumerated() {
            if index < 0 {
                // What a position that is only padding holds takes no part, be it NaN.
                used.withMutableRow(place) { $0.withUnsafeMutableBufferPointer { $0.update(repeating: 0) } }
                continue
            }
            factors.withUnsafeValues { factors in
                activations.withMutableRow(place) {
                    for row in 0..<map.m { $0[row] = factors[map.left! + row * map.m + index] }
                }
            }
        }
        return .sequence(
            kernel: table, bias: nil, activations: activations, errors: multipliedFromRight(used, map),
            positions: positions)
    }

    private func images(of leaves: [TreePath], _ rows: Matrix) -> Matrix {
        let maps = leaves.map { self.maps[parameterLayout.index(of: $0)!] }
        if maps.allSatisfy({ $0.left == nil }) { return rows }
        var result = Matrix(rows: rows.rows, columns: rows.columns)
        result.withUnsafeMutableElements { result in
            rows.withUnsafeElements { elements in
                factors.withUnsafeValues { factors in
                    guard let result = result.baseAddress, let elements = elements.baseAddress else { return }
                    forEachRow(of: rows.rows) { row in
                        multiply(
                            maps, elements + row * rows.columns, by: factors.baseAddress,
                            into: result + row * rows.columns)
                    }
                }
            }
        }
        return result
    }

    /// Each row times the factor that begins at `factor`, or its transpose.
    private func multiplied(_ rows: Matrix, factor: Int, _ transpose: BLAS.Transpose) -> Matrix {
        factors.withUnsafeValues { RowBlocks(rows: rows).multiplied(by: $0.baseAddress! + factor, transpose) }
    }
}

/// The rows of a matrix in blocks of one fixed shape, the last filled up with zeros.
///
/// For another shape BLAS may choose another order of sums, and a row's product would depend on how many there are.
private struct RowBlocks {
    let rows: Matrix
    private let tail: Matrix
    private let side: Int

    private static let height = 128
    private static let width = 256

    init(rows: Matrix) {
        self.rows = rows
        side = rows.columns
        let whole = rows.rows / Self.height * Self.height
        var tail = Matrix(rows: whole == rows.rows ? 0 : Self.height, columns: side)
        rows.withRows(whole..<rows.rows) { source in
            tail.withUnsafeMutableElements { for index in 0..<source.count { $0[index] = source[index] } }
        }
        self.tail = tail
    }

    /// Every row times a square matrix, or its transpose.
    func multiplied(by factor: UnsafePointer<Float>, _ transpose: BLAS.Transpose) -> Matrix {
        var result = Matrix(rows: rows.rows, columns: side)
        let blocks = (rows.rows + Self.height - 1) / Self.height
        let tasks = blocks * ((side + Self.width - 1) / Self.width)
        result.withUnsafeMutableElements { result in
            Threads.withTeam(of: min(tasks, rows.count * side / Threads.workPerThread(1 << 20))) { member in
                var product = Matrix(rows: Self.height, columns: min(Self.width, side))
                for task in member.share(of: 0..<tasks) {
                    let begin = task / blocks * Self.width
                    let columns = begin..<min(begin + Self.width, side)
                    product.withUnsafeMutableElements {
                        multiply(
                            block: task % blocks, columns, by: factor, transpose, into: $0.baseAddress!,
                            result: result.baseAddress!)
                    }
                }
            }
        }
        return result
    }

    private func multiply(
        block: Int, _ columns: Range<Int>, by factor: UnsafePointer<Float>, _ transpose: BLAS.Transpose,
        into product: UnsafeMutablePointer<Float>, result: UnsafeMutablePointer<Float>
    ) {
        let begin = block * Self.height
        let count = min(Self.height, rows.rows - begin)
        let source = count == Self.height ? rows : tail
        source.withUnsafeElements {
            BLAS.product(
                rows: Self.height, columns: columns.count, inner: side,
                $0.baseAddress! + (count == Self.height ? begin * side : 0), .none,
                factor + columns.lowerBound * (transpose == .none ? 1 : side), transpose, strideB: side, product)
        }
        for row in 0..<count {
            (result + (begin + row) * side + columns.lowerBound).update(
                from: product + row * columns.count, count: columns.count)
        }
    }
}
