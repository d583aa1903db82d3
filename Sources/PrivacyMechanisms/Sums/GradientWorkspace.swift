import LinearAlgebra
import PyTrees
import Synchronization

/// Memory that successive aggregates hand on to each other, so that a step after the first allocates none.
///
/// One workspace serves one training loop. It holds a sum, all zeros, so that nothing of an earlier batch can be read
/// from it, and a gradient that is noisy already.
public final class GradientWorkspace: Sendable {
    private let spare = Mutex<AlignedStorage<Double>?>(nil)
    private let spareGridSum = Mutex<GridSum?>(nil)
    private let gradient = Mutex<GradientMemory?>(nil)

    /// An empty workspace.
    public init() {}

    func take(columns: Int) -> AlignedStorage<Double> {
        let found = spare.withLock { spare in
            defer { spare = nil }
            return spare
        }
        if let found, found.count == columns { return found }
        return AlignedStorage(zeros: columns)
    }

    func takeGridSum(columns: Int) -> GridSum {
        let found = spareGridSum.withLock { spare in
            defer { spare = nil }
            return spare
        }
        if let found, found.columns == columns { return found }
        return GridSum(columns: columns)
    }

    /// Memory for a noised sum: that of the last step, if its gradient is gone.
    func takeGradient(layout: TreeLayout) -> GradientMemory {
        gradient.withLock { gradient in
            if isKnownUniquelyReferenced(&gradient), let gradient, gradient.vector.layout == layout { return gradient }
            let fresh = GradientMemory(ParameterVector(zeros: layout))
            gradient = fresh
            return fresh
        }
    }

    /// Takes back a sum that noise has consumed, and which it has set to zero on the way.
    func giveBack(_ values: AlignedStorage<Double>) {
        spare.withLock { $0 = values }
    }

    /// The same for an exact sum, every column of which has been finished.
    func giveBack(_ sum: GridSum) {
        sum.reset()
        spareGridSum.withLock { $0 = sum }
    }
}
