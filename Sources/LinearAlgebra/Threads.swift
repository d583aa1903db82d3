import COpenBLAS
import Requirements
import Synchronization

/// How many threads this library computes with: the one knob.
///
/// The limit holds for the passes over rows and columns and for large matrix products alike: both run on this library's
/// threads, with single-threaded BLAS inside.
public enum Threads {
    private static let setting = Atomic<Int>(ProcessorAllowance.current)

    /// The largest number of threads that one operation uses; at first, the number of processors that the process may
    /// run on, by its affinity mask and the limits of its control groups.
    ///
    /// What an example gives to a private sum does not depend on it. Products by ``BLAS`` do, within their rounding.
    /// Traps when set below 1.
    public static var limit: Int {
        get { setting.load(ordering: .relaxed) }
        set {
            require(newValue >= 1, "The thread limit must be at least 1, and \(newValue) was asked for.")
            setting.store(newValue, ordering: .relaxed)
        }
    }
}

extension Threads {
    /// While true, work is shared out however little it is, so that tests of small problems run on real teams.
    package static var sharesSmallWork: Bool {
        get { smallWork.load(ordering: .relaxed) }
        set { smallWork.store(newValue, ordering: .relaxed) }
    }

    private static let smallWork = Atomic<Bool>(false)

    /// How much work a thread has to get before it is worth waking: the given amount, unless tests ask for less.
    package static func workPerThread(_ usual: Int) -> Int { sharesSmallWork ? 1 : usual }
}

/// One thread's place in a team that runs the same body.
package struct TeamMember {
    package let index: Int
    package let count: Int
    fileprivate let barrier: TeamBarrier

    /// Waits until every member has arrived; what any of them wrote before is visible to all after.
    package func barrierWait() { barrier.wait() }

    /// The part of `range` that is this member's: consecutive, disjoint, together all of it.
    package func share(of range: Range<Int>) -> Range<Int> { share(of: range, for: index) }

    /// The part of `range` that is the given member's.
    package func share(of range: Range<Int>, for index: Int) -> Range<Int> {
        let begin = range.lowerBound + range.count * index / count
        let end = range.lowerBound + range.count * (index + 1) / count
        return begin..<end
    }
}

extension Threads {
    /// Runs `body` on up to `size` threads at once, the caller's among them, and returns when all are done.
    ///
    /// The team is never larger than the limit. A team inside a team has one member. Members run at the same time,
    /// so that they may wait for each other.
    package static func withTeam(of size: Int, _ body: (TeamMember) -> Void) {
        let count = WorkerPool.isInsideTeam ? 1 : max(1, min(size, limit))
        let barrier = TeamBarrier(count: count)
        if count == 1 {
            body(TeamMember(index: 0, count: 1, barrier: barrier))
        } else {
            WorkerPool.shared.run(count) { body(TeamMember(index: $0, count: count, barrier: barrier)) }
        }
    }

    /// Runs `body` as if it were the only member of a team: whatever it calls computes on the calling thread alone.
    ///
    /// For closures that see one example. Matrix products round differently when they are cut among threads, and how
    /// many threads an example could have for itself depends on how many other examples there are.
    package static func withoutTeams<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try WorkerPool.runInsideTeam(body)
    }

    /// Runs `body`, a call into BLAS or LAPACK, on the calling thread alone.
    ///
    /// OpenBLAS's own threads are never used: after each call they watch for the next one for some 2²⁶ cycles, and so
    /// take the processor from whatever our threads do next (measured: 25 ms). Large products are cut up among our
    /// threads instead.
    static func withSingleThreadedLibrary<Result>(_ body: () -> Result) -> Result {
        _ = libraryIsSingleThreaded
        return body()
    }

    private static let libraryIsSingleThreaded: Void = openblas_set_num_threads(1)
}
