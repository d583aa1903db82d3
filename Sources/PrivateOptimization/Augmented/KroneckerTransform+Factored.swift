import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

extension KroneckerTransform {
    /// The images of factored gradients, factored: A·(a eᵀ)·B = (A a)(B e)ᵀ. Traps if they have another layout.
    ///
    /// A bias becomes rows of its own where the kernel beside it is multiplied. An embedding whose table has factors
    /// becomes a layer with positions, since A spreads each index over all rows.
    ///
    /// - Complexity: 2·(m² + n²) operations for each matrix leaf, example and position.
    public func transformed(_ gradients: FactoredGradients) -> FactoredGradients? {
        require(
            gradients.layout == parameterLayout,
            "Gradients of layout\n\(gradients.layout)\ndo not fit a transform of\n\(parameterLayout)")
        return gradients.images(layout: transformedLayout, images)
    }

    private func images(of part: FactoredGradients.Part) -> [FactoredGradients.Part] {
        switch part {
        case .dense(let kernel, let bias, let activations, let outputGradients):
            guard let map = map(of: kernel) else { return [part] }
            let image = FactoredGradients.Part.dense(
                kernel: kernel, bias: nil, activations: multipliedFromLeft(activations, map),
                outputGradients: multipliedFromRight(outputGradients, map))
            return [image] + (bias.map { [.rows(leaves: [$0], outputGradients)] } ?? [])
        case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
            guard let map = map(of: kernel) else { return [part] }
            let image = FactoredGradients.Part.sequence(
                kernel: kernel, bias: nil, activations: multipliedFromLeft(activations, map),
                outputGradients: multipliedFromRight(outputGradients, map), positions: positions)
            return [image] + (bias.map { [.rows(leaves: [$0], outputGradients.summedOverPositions(positions))] } ?? [])
        case .embedding(let table, let indices, let outputGradients, let positions):
            guard let map = map(of: table) else { return [part] }
            return [image(ofTable: table, map, indices, outputGradients, positions)]
        case .rows(let leaves, let matrix):
            return [.rows(leaves: leaves, images(of: leaves, matrix))]
        case .joined(let leaf, let uses):
            return [.joined(leaf: leaf, uses.flatMap(images))]
        case .mapped(let part, let map):
            let leaves = part.leaves
            return [
                .mapped(part) { gradient in
                    map(gradient)
                    let row = Matrix(rows: 1, columns: gradient.count, elements: Array(gradient))
                    images(of: leaves, row).withUnsafeElements { _ = gradient.update(fromContentsOf: $0) }
                }
            ]
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

    private func multipliedFromRight(_ outputGradients: Matrix, _ map: LeafMap) -> Matrix {
        multiplied(outputGradients, factor: map.right!, .none)
    }

    private func image(
        ofTable table: TreePath, _ map: LeafMap, _ indices: [Int], _ outputGradients: Matrix, _ positions: Int
    ) -> FactoredGradients.Part {
        var activations = Matrix(rows: indices.count, columns: map.m)
        var used = outputGradients
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
            kernel: table, bias: nil, activations: activations, outputGradients: multipliedFromRight(used, map),
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
        let side = rows.columns
        var result = Matrix(rows: rows.rows, columns: side)
        result.withUnsafeMutableElements { result in
            rows.withUnsafeElements { rows in
                factors.withUnsafeValues { factors in
                    let factor = StridedMatrix(factors.baseAddress! + factor, stride: side)
                    RowwiseProduct.multiply(
                        rows: rows.count / max(1, side), columns: side, inner: side,
                        StridedMatrix(rows.baseAddress!, stride: side),
                        transpose == .none ? factor : factor.transposed, into: result.baseAddress!)
                }
            }
        }
        return result
    }
}
