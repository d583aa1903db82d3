import CPrivacyKernels
import Requirements
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Where the threads of a team, all of them running, wait for each other: spins, then yields the processor.
///
/// **Guarantee:** in each round, no `wait` returns before all `count` threads have called it, and what any of them
/// wrote before is visible to all after.
package final class TeamBarrier: Sendable {
    private let count: Int
    private let arrived = Atomic(0)
    private let generation = Atomic(0)

    /// A barrier for `count` threads. Traps unless there is at least one.
    package init(count: Int) {
        require(count >= 1, "A barrier needs at least one thread, and \(count) were announced.")
        self.count = count
    }

    /// Returns once all `count` threads have called it; they may then call it again.
    package func wait() {
        let current = generation.load(ordering: .acquiring)
        // The last to arrive acquires what the others released by arriving, and hands it on with the new generation.
        if arrived.add(1, ordering: .acquiringAndReleasing).newValue == count {
            arrived.store(0, ordering: .relaxed)
            generation.add(1, ordering: .releasing)
            return
        }
        // A member may have lost its processor to another program: after a while, let it have ours.
        if Spin.whileEqual(generation, current, pauses: 4096) { return }
        while generation.load(ordering: .acquiring) == current { sched_yield() }
    }
}

/// Waiting without giving up the processor.
enum Spin {
    /// Watches `value` until it is no longer `seen`, for at most `pauses` short pauses, and returns whether it changed:
    /// what was written before the release that changed it is then visible.
    @discardableResult
    static func whileEqual(_ value: borrowing Atomic<Int>, _ seen: Int, pauses: Int) -> Bool {
        for _ in 0..<pauses {
            if value.load(ordering: .acquiring) != seen { return true }
            dpk_pause()
        }
        return false
    }
}
