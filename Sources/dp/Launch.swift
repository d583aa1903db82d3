import Foundation
import PrivateTraining
import Requirements
import Synchronization

#if MPI
    import MPICollective
#endif

/// The processes that `mpirun` started this program as. Rank 0 speaks; another does if it alone cannot go on.
enum Launch {
    /// The ranks; nil for a program that was started alone.
    static var ranks: Ranks? { launched.withLock { $0 } }

    private static let launched = Mutex<Ranks?>(nil)
    /// Where a rank that is silent says why it ends, traps included.
    private static let standardError = dup(STDERR_FILENO)

    /// Finds the ranks, all but the first of which are silent from here on.
    ///
    /// Throws ``LaunchError/withoutRanks(count:)`` if this program was built without them and several were started:
    /// each would train by itself.
    static func begin() throws {
        #if MPI
            guard let ranks = Ranks.launched() else { return }
            launched.withLock { $0 = ranks }
            guard ranks.rank > 0 else { return }
            Traps.descriptor.store(standardError, ordering: .relaxed)
            let nowhere = open("/dev/null", O_WRONLY)
            for stream in [STDOUT_FILENO, STDERR_FILENO] { dup2(nowhere, stream) }
        #else
            let environment = ProcessInfo.processInfo.environment
            for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] {
                if let count = environment[name].flatMap(Int.init), count > 1 {
                    throw LaunchError.withoutRanks(count: count)
                }
            }
        #endif
    }

    /// What `body` returns. Where one rank cannot do it, none goes on.
    static func together<Value>(_ body: () throws -> Value) throws -> Value {
        guard let ranks else { return try body() }
        let result = Result { try body() }
        // A help that was asked for, on all of them.
        if case .failure(let error) = result, DP.exitCode(for: error) == .success { throw error }
        return try ranks.together { try result.get() }
    }

    /// Ends all ranks after `error`, which one of them tells; returns where there are none.
    static func end(after error: any Error) {
        guard let ranks, DP.exitCode(for: error) != .success else { return }
        switch error {
        case RankError.failed: break  // The rank that failed tells it.
        case is RankError where ranks.rank > 0: break  // All have it, and the first tells it.
        default:
            // Where all have the same error, the first tells it.
            if ranks.rank > 0 { sleep(1) }
            let text = DP.fullMessage(for: error) + "\n"
            _ = text.withCString { write(ranks.rank > 0 ? standardError : STDERR_FILENO, $0, strlen($0)) }
            // What was written is not lost: mpirun ends what it is still reading from.
            usleep(200_000)
            ranks.abort()
        }
        // Until that rank ends all.
        sleep(10)
        ranks.abort()
    }
}

/// What can be wrong with how the program was started.
enum LaunchError: Error, CustomStringConvertible {
    case withoutRanks(count: Int)

    var description: String {
        switch self {
        case .withoutRanks(let count):
            "\(count) processes were started together, but this program was built without ranks: each would train by "
                + "itself. Use scripts/train-distributed, which builds it with the trait MPI."
        }
    }
}
