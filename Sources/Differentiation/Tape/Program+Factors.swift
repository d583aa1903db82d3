import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

extension Program {
    /// The gradients of all examples, factored: no example's gradient is formed.
    ///
    /// - Parameter uses: what ``backward(_:at:memory:)`` found.
    package func factoredGradients(
        _ uses: [[ParameterGradient<Float>]], exampleCount: Int, losses: [Float]
    ) -> FactoredGradients {
        let parts = zip(layout.leaves, uses).map { leaf, uses -> FactoredGradients.Part in
            let parts = uses.map { $0.part(of: leaf.path) }
            return parts.count == 1 ? parts[0] : .joined(leaf: leaf.path, parts)
        }
        do throws(PrivacyMechanismError) {
            return try FactoredGradients(
                layout: layout, exampleCount: exampleCount, parts: parts, nonPrivateLosses: losses)
        } catch {
            fail("What an operation says of its parameters' gradients does not fit them: \(error)")
        }
    }
}

extension ParameterGradient<Float> {
    fileprivate func part(of leaf: TreePath) -> FactoredGradients.Part {
        switch self {
        case .outer(let activations, let outputGradients, 1):
            .dense(
                kernel: leaf, bias: nil, activations: activations.matrix, outputGradients: outputGradients.matrix)
        case .outer(let activations, let outputGradients, let positions):
            .sequence(
                kernel: leaf, bias: nil, activations: activations.matrix, outputGradients: outputGradients.matrix,
                positions: positions)
        case .mapped(let activations, let outputGradients, let positions, let map):
            .mapped(
                Self.outer(activations: activations, outputGradients: outputGradients, positions: positions)
                    .part(of: leaf), map)
        case .lookup(let indices, let outputGradients, let positions):
            .embedding(
                table: leaf, indices: indices, outputGradients: outputGradients.matrix, positions: positions)
        case .sums(let outputGradients, 1): .rows(leaves: [leaf], outputGradients.matrix)
        case .sums(let outputGradients, let positions):
            .rows(leaves: [leaf], outputGradients.matrix.summedOverPositions(positions))
        case .rows(let rows): .rows(leaves: [leaf], rows.matrix)
        }
    }
}
