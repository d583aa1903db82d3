import LinearAlgebra
import Synchronization

/// Memory that successive aggregates hand on to each other, so that a step after the first allocates none.
///
/// One workspace serves one training loop. It holds two Float32 vectors' worth of the transformed space (one of
/// Float64), all zeros: nothing of an earlier batch can be read from it.
public final class GradientWorkspace: Sendable {
    private let spare = Mutex<AlignedStorage<Double>?>(nil)

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

    /// Takes back a sum that noise has consumed, and which it has set to zero on the way.
    func giveBack(_ values: AlignedStorage<Double>) {
        spare.withLock { $0 = values }
    }
}
