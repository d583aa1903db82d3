import Requirements
import Synchronization

/// Hands out the tasks of a team one by one: several lots of them, each numbered from 0.
///
/// **Guarantee:** however many threads ask, each number of a lot is handed out at most once, and none is left out
/// before a higher one. What a task writes is not thereby visible to whoever has the next one: that is for a barrier,
/// or for the end of the team.
package final class TaskClaims: @unchecked Sendable {
    // Sendable is unchecked because of the pointer; what it points to is changed atomically only.
    private let counters: UnsafeMutableBufferPointer<Atomic<Int>>

    /// Nothing is claimed yet. Traps if `lots` is negative.
    package init(lots: Int = 1) {
        require(lots >= 0, "There cannot be \(lots) lots of tasks.")
        counters = .allocate(capacity: lots)
        for lot in 0..<lots { counters.initializeElement(at: lot, to: Atomic(0)) }
    }

    deinit {
        counters.deinitialize()
        counters.deallocate()
    }

    /// The next task of the lot, or nil where all `count` are taken. Traps if there is no such lot.
    package func next(of count: Int, lot: Int = 0) -> Int? {
        require(counters.indices.contains(lot), "There is no lot \(lot) among \(counters.count).")
        let task = counters[lot].add(1, ordering: .relaxed).oldValue
        return task < count ? task : nil
    }
}
