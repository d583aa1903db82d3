import Requirements
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The threads that wait for work between operations, and the lock that lets one operation run at a time.
///
/// Members of a team wait for each other at barriers, so all of them must hold a thread of their own: a queue that may
/// run them one after the other would never return.
final class WorkerPool: @unchecked Sendable {
    // Sendable is unchecked because every stored variable is guarded by `mutex`, the body's lifetime by `turn`; only
    // `round` is also watched without the lock, atomically.
    static let shared = WorkerPool()

    private let turn = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let started = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// Counts the teams so far; written under the lock, and watched without it by workers that still spin.
    private let round = Atomic(0)
    private var workers = 0
    private var teamSize = 0
    private var running = 0
    private var body: ((Int) -> Void)?

    private init() {
        pthread_mutex_init(turn, nil)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(started, nil)
        pthread_cond_init(finished, nil)
    }

    private static let insideTeamKey: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// Whether the calling thread is a member of a running team.
    static var isInsideTeam: Bool { pthread_getspecific(insideTeamKey) != nil }

    private static func mark(insideTeam: Bool) {
        pthread_setspecific(insideTeamKey, insideTeam ? UnsafeRawPointer(bitPattern: 1) : nil)
    }

    /// Runs `body` with the calling thread marked as a member of a team.
    static func runInsideTeam<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if isInsideTeam { return try body() }
        mark(insideTeam: true)
        defer { mark(insideTeam: false) }
        return try body()
    }

    /// Runs `body(0)` here and `body(1)` … `body(count - 1)` on workers, and returns when all have.
    func run(_ count: Int, _ body: (Int) -> Void) {
        pthread_mutex_lock(turn)
        defer { pthread_mutex_unlock(turn) }
        withoutActuallyEscaping(body) { body in
            pthread_mutex_lock(mutex)
            while workers < count - 1 { startWorker() }
            self.body = body
            teamSize = count
            running = count - 1
            round.add(1, ordering: .releasing)
            pthread_cond_broadcast(started)
            pthread_mutex_unlock(mutex)

            Self.mark(insideTeam: true)
            body(0)
            Self.mark(insideTeam: false)

            pthread_mutex_lock(mutex)
            while running > 0 { pthread_cond_wait(finished, mutex) }
            self.body = nil
            pthread_mutex_unlock(mutex)
        }
    }

    private func startWorker() {
        workers += 1
        let assignment = Unmanaged.passRetained(
            Assignment(pool: self, index: workers, round: round.load(ordering: .relaxed)))
        #if canImport(Darwin)
            var thread: pthread_t?
            let status = pthread_create(&thread, nil, workerMain, assignment.toOpaque())
        #else
            var thread = pthread_t()
            let status = pthread_create(&thread, nil, { workerMain($0!) }, assignment.toOpaque())
        #endif
        require(status == 0, "The system refused to start thread \(workers) (error \(status)).")
    }

    fileprivate func work(as index: Int, after lastRound: Int) {
        Self.mark(insideTeam: true)
        var seen = lastRound
        pthread_mutex_lock(mutex)
        while true {
            if round.load(ordering: .relaxed) == seen {
                // A step is several teams in quick succession: for some tens of microseconds it is cheaper to watch for
                // the next one than to be woken for it.
                pthread_mutex_unlock(mutex)
                Spin.whileEqual(round, seen, pauses: 2000)
                pthread_mutex_lock(mutex)
            }
            while round.load(ordering: .relaxed) == seen { pthread_cond_wait(started, mutex) }
            seen = round.load(ordering: .relaxed)
            guard index < teamSize, let body else { continue }
            pthread_mutex_unlock(mutex)
            body(index)
            pthread_mutex_lock(mutex)
            running -= 1
            if running == 0 { pthread_cond_signal(finished) }
        }
    }
}

private final class Assignment {
    let pool: WorkerPool
    let index: Int
    let round: Int

    init(pool: WorkerPool, index: Int, round: Int) {
        self.pool = pool
        self.index = index
        self.round = round
    }
}

private func workerMain(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let assignment = Unmanaged<Assignment>.fromOpaque(argument).takeRetainedValue()
    assignment.pool.work(as: assignment.index, after: assignment.round)
    return nil
}
