import PyTrees
import Requirements

extension FactoredGradients {
    /// The gradients that a map of each part makes, which have the leaves of `layout`. Traps if they do not fit it.
    package func images(layout: TreeLayout, _ images: (Part) -> [Part]) -> FactoredGradients {
        do throws(PrivacyMechanismError) {
            return try FactoredGradients(
                layout: layout, exampleCount: exampleCount, parts: parts.flatMap(images),
                nonPrivateLosses: nonPrivateLosses)
        } catch {
            fail("The images of factored gradients are not gradients: \(error)")
        }
    }
}

extension FactoredGradients.Part {
    /// The leaves that the part has the gradients of.
    package var leaves: [TreePath] {
        switch self {
        case .dense(let kernel, let bias, _, _), .sequence(let kernel, let bias, _, _, _):
            [kernel] + (bias.map { [$0] } ?? [])
        case .embedding(let table, _, _, _): [table]
        case .rows(let leaves, _): leaves
        case .joined(let leaf, _): [leaf]
        case .mapped(let part, _): part.leaves
        }
    }
}
