import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Requirements

/// An optimizer whose state and updates ranks can divide.
package protocol DivisibleOptimizer {
    /// Whether any part of the columns can be stepped with by itself, with a part of the state.
    var isDivisible: Bool { get }
}

extension IdentityAugmented: DivisibleOptimizer {
    package var isDivisible: Bool { base is any DivisibleTransformation }
}

/// Ranks divide the state and the updates of an optimizer that works element by element: each keeps the state of its
/// share of the columns, and steps with them; then parameters are gathered, and not gradients.
extension StepWorkspace {
    /// What this rank keeps of a whole state: that of its share of `layout`'s columns, or all of it.
    package func kept<State>(of state: State, in layout: TreeLayout) -> State {
        changed(state, layout) { part, _, vector in
            require(
                vector.layout == layout,
                "A state of layout\n\(vector.layout)\ndoes not fit parameters of layout\n\(layout)")
            vector = part.taken(from: vector)
        }
    }

    /// The whole state, on every rank, of what each of them kept of it.
    package func whole<State>(of state: State, in layout: TreeLayout) -> State {
        changed(state, layout) { part, ranks, vector in
            require(
                vector.layout == part.layout,
                "A state of layout\n\(vector.layout)\nis not the part\n\(part.layout)")
            vector = part.placed(vector, in: layout)
            vector.gather(from: ranks)
        }
    }

    private func changed<State>(
        _ state: State, _ layout: TreeLayout, _ change: (UpdatePart, Ranks, inout ParameterVector) -> Void
    ) -> State {
        guard hasSharedState, let ranks else { return state }
        guard var shared = state as? any ElementwiseState else {
            fail("A state of type \(State.self) was to be divided among ranks, but its columns are not known.")
        }
        let part = UpdatePart(ranks.share(ofColumns: layout.count))
        shared.changeVectors { change(part, ranks, &$0) }
        guard let changed = shared as? State else { fail("A state of type \(State.self) became another one.") }
        return changed
    }
}
