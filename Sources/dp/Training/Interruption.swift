import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ctrl-C and the system's request to end: the run ends after its step, with a checkpoint. A second one ends it at
/// once. Both are told on standard error what becomes of the run.
enum Interruption {
    static var isRequested: Bool { interruptionFlag.load(ordering: .relaxed) }

    /// - Parameter keepsCheckpoints: whether there is something to go on from.
    static func watch(keepsCheckpoints: Bool) {
        checkpointFlag.store(keepsCheckpoints, ordering: .relaxed)
        // A file that grows too large is then an error of the write, which cleans up, and not the end.
        signal(SIGXFSZ, SIG_IGN)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                let hasCheckpoints = checkpointFlag.load(ordering: .relaxed)
                guard interruptionFlag.exchange(true, ordering: .relaxed) else {
                    return tell(
                        hasCheckpoints
                            ? """
                            \nStopping after this step, with a checkpoint. Once more stops at once: steps since the \
                            last checkpoint are then lost.\n
                            """
                            : "\nStopping after this step. Once more stops at once: the model is then lost.\n")
                }
                tell(
                    hasCheckpoints
                        ? "\nStopped at once: steps since the last checkpoint are lost; --resume goes on from there.\n"
                        : "\nStopped at once: the model is lost, for there was no --output.\n")
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
private let checkpointFlag = Atomic<Bool>(false)
