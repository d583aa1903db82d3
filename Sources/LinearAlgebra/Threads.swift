import COpenBLAS
import CPrivacyKernels
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How many threads this library computes with: the one knob.
///
/// The limit holds for the library's own passes over rows and columns and for the large matrix products that are left
/// to OpenBLAS. The two never run at once: inside our own threads, BLAS is single-threaded.
public enum Threads {
    private static let setting = Atomic<Int>(ProcessorCount.online)

    /// The largest number of threads that one operation uses; at first, the number of processors.
    ///
    /// Results do not depend on it. Traps when set below 1.
    public static var limit: Int {
        get { setting.load(ordering: .relaxed) }
        set {
            precondition(newValue >= 1, "The thread limit must be at least 1, and \(newValue) was asked for.")
            setting.store(newValue, ordering: .relaxed)
        }
    }
}

private enum ProcessorCount {
    static var online: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}

/// One thread's place in a team that runs the same body.
package struct TeamMember {
    package let index: Int
    package let count: Int
    fileprivate let barrier: UnsafeMutablePointer<dpk_barrier>

    /// Waits until every member has arrived; what any of them wrote before is visible to all after.
    package func barrierWait() {
        if count > 1 { dpk_barrier_wait(barrier, UInt32(count)) }
    }

    /// The part of `range` that is this member's: consecutive, disjoint, together all of it.
    package func share(of range: Range<Int>) -> Range<Int> {
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
        let barrier = dpk_barrier_make()
        defer { dpk_barrier_free(barrier) }
        let count = WorkerPool.isInsideTeam ? 1 : max(1, min(size, limit))
        if count == 1 {
            body(TeamMember(index: 0, count: 1, barrier: barrier))
        } else {
            WorkerPool.shared.run(count) { body(TeamMember(index: $0, count: count, barrier: barrier)) }
        }
    }

    /// Runs `body`, a call into BLAS or LAPACK, with as many of the library's threads as the limit allows.
    static func withLibraryThreads<Result>(_ body: () -> Result) -> Result {
        if WorkerPool.isInsideTeam { return body() }
        return WorkerPool.shared.exclusively {
            openblas_set_num_threads(Int32(limit))
            defer { openblas_set_num_threads(1) }
            return body()
        }
    }
}
