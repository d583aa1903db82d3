import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// What the competing paths are given: a matrix of per-example gradients, a scale, a clip norm and a noise multiplier.
struct PipelineProblem {
    let name: String
    let gradients: Matrix
    let layout: TreeLayout
    /// Positive factors, or nil for no transform.
    let scale: ParameterVector?
    let l2ClipNorm: Double
    let noiseMultiplier: Double

    var bytes: Double { 4 * Double(gradients.count) }

    init(
        name: String, gradients: Matrix, layout: TreeLayout, hasScale: Bool, l2ClipNorm: Double?,
        noiseMultiplier: Double
    ) {
        self.name = name
        self.gradients = gradients
        self.layout = layout
        scale = hasScale ? Self.seededScale(layout) : nil
        self.noiseMultiplier = noiseMultiplier
        self.l2ClipNorm = l2ClipNorm ?? Self.middlingNorm(of: gradients, under: scale)
    }

    /// Normal entries from a fixed seed, in leaves like those of a network: kernels and biases.
    static func synthetic(examples: Int, parameters: Int, hasScale: Bool) throws -> PipelineProblem {
        let layout = try syntheticLayout(parameters: parameters)
        var gradients = Matrix(rows: examples, columns: parameters)
        var noise = GaussianNoise(nonPrivateSeed: 1)
        gradients.withMutableRows(0..<examples) { noise.fill(&$0) }
        return PipelineProblem(
            name: "synthetic", gradients: gradients, layout: layout, hasScale: hasScale, l2ClipNorm: nil,
            noiseMultiplier: 1)
    }

    private static func syntheticLayout(parameters: Int) throws -> TreeLayout {
        let layers = 4
        var leaves: [(path: TreePath, shape: [Int])] = []
        var left = parameters
        for layer in 0..<layers where left > 0 {
            let share = layer == layers - 1 ? left : parameters / layers
            let bias = min(share, max(1, Int(Double(share).squareRoot()) / 4))
            leaves.append((TreePath(["layer\(layer)", "bias"]), [bias]))
            if share > bias { leaves.append((TreePath(["layer\(layer)", "kernel"]), [share - bias])) }
            left -= share
        }
        return try TreeLayout(leaves)
    }

    /// Between ½ and 2, as an adaptive optimizer's scale varies between coordinates.
    private static func seededScale(_ layout: TreeLayout) -> ParameterVector {
        var scale = ParameterVector(zeros: layout)
        var noise = GaussianNoise(nonPrivateSeed: 2)
        scale.withMutableSpan { noise.fill(&$0) }
        scale.withUnsafeMutableValues { values in
            for index in values.indices { values[index] = exp2(max(-1, min(1, values[index] / 2))) }
        }
        return scale
    }

    /// A norm that about half of the examples exceed, so that both branches of clipping are taken.
    private static func middlingNorm(of gradients: Matrix, under scale: ParameterVector?) -> Double {
        let sampled = min(gradients.rows, 33)
        var norms = (0..<sampled).map { row -> Double in
            gradients.withRow(row) { elements in
                var square = 0.0
                for column in 0..<elements.count {
                    let value = Double(elements[column]) * Double(scale?.values[column] ?? 1)
                    square += value * value
                }
                return square.squareRoot()
            }
        }
        norms = norms.filter { $0.isFinite && $0 > 0 }.sorted()
        return norms.isEmpty ? 1 : norms[norms.count / 2]
    }
}
