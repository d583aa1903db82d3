import LinearAlgebra
import PyTrees
import Requirements

extension RankOneTransform {
    /// Calls `body` with the images of all leaves that have elements, on their way to an exact sum.
    ///
    /// The factors of a dense layer are multiplied as they are rounded to whole numbers, and biases as they are rounded
    /// to the grid: nothing is written for them. Other parts are mapped first.
    ///
    /// **Guarantee:** what is measured is what is added: of a dense layer the whole numbers themselves, of all else the
    /// image. It is a function of the example and the scale, in every bit.
    func withGridLeaves(of gradients: FactoredGradients, on grid: SumGrid, _ body: ([any GridLeaf]) -> Void) {
        let count = gradients.exampleCount
        scale.withUnsafeValues { scale in
            var leaves: [any GridLeaf] = []
            func append(_ factor: some GradientFactor, _ scale: UnsafePointer<Float>?) {
                if factor.columns.isEmpty { return }
                leaves.append(factor.gridLeaf(exampleCount: count, scale: scale, grid: grid))
            }
            for part in gradients.parts {
                guard case .dense(let kernel, let bias, let activations, let outputGradients) = part else {
                    for factor in imageFactors(of: part, count: count) { append(factor, nil) }
                    continue
                }
                let factor = OuterFactor(
                    columns: range(of: kernel), activations: activations, outputGradients: outputGradients)
                let place = factors.leaves[parameterLayout.index(of: kernel)!]
                if !factor.columns.isEmpty, let base = scale.baseAddress {
                    leaves.append(
                        OuterGridLeaf(
                            factor: factor, exampleCount: count,
                            scale: .rankOne(rows: base + place.moments, columns: base + place.columnMoments),
                            grid: grid))
                }
                if let bias, let base = scale.baseAddress {
                    let place = factors.leaves[parameterLayout.index(of: bias)!].moments
                    append(RowsFactor(columns: range(of: bias), matrix: outputGradients, offset: 0), base + place)
                }
            }
            body(leaves)
        }
    }

    private func range(of path: TreePath) -> Range<Int> { parameterLayout[path]!.range }

    private func imageFactors(of part: FactoredGradients.Part, count: Int) -> [any GradientFactor] {
        do throws(PrivacyMechanismError) {
            var resolver = FactorResolver(layout: parameterLayout, exampleCount: count)
            var factors: [any GradientFactor] = []
            for image in images(of: part) { factors += try resolver.factors(of: image) }
            return factors
        } catch {
            fail("The image of factored gradients is no gradient: \(error)")
        }
    }
}
