import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ctrl-C and the system's request to end: the run ends after its step, with a checkpoint if it keeps any. A second one
/// ends it at once. Both are told on standard error what becomes of the run.
enum Interruption {
    /// What a run loses that is ended at once.
    enum Stakes: Int {
        case stepsSinceCheckpoint, model, audit

        fileprivate var warning: StaticString {
            switch self {
            case .stepsSinceCheckpoint:
                """
                \nStopping after this step, with a checkpoint. Once more stops at once: steps since the last \
                checkpoint are then lost.\n
                """
            case .model: "\nStopping after this step. Once more stops at once: the model is then lost.\n"
            case .audit: "\nStopping after this step. Once more stops at once.\n"
            }
        }

        fileprivate var farewell: StaticString {
            switch self {
            case .stepsSinceCheckpoint:
                "\nStopped at once: steps since the last checkpoint are lost; --resume goes on from there.\n"
            case .model: "\nStopped at once: the model is lost, for there was no --output.\n"
            case .audit: "\nStopped at once.\n"
            }
        }
    }

    static var isRequested: Bool { interruptionFlag.load(ordering: .relaxed) }

    static func watch(_ stakes: Stakes) {
        interruptionStakes.store(stakes.rawValue, ordering: .relaxed)
        // A file that grows too large is then an error of the write, which cleans up, and not the end.
        signal(SIGXFSZ, SIG_IGN)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                let stakes = Stakes(rawValue: interruptionStakes.load(ordering: .relaxed)) ?? .model
                guard interruptionFlag.exchange(true, ordering: .relaxed) else { return tell(stakes.warning) }
                tell(stakes.farewell)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }
}

/// Writes to standard error as a signal's handler may: without memory and without a lock.
private func tell(_ text: StaticString) {
    _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
}

/// Apart from the type: a signal's handler captures nothing.
private let interruptionFlag = Atomic<Bool>(false)
private let interruptionStakes = Atomic<Int>(0)
