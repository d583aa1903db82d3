import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ctrl-C and the system's request to end: the run ends after its step, with a checkpoint. A second Ctrl-C kills.
enum Interruption {
    static var isRequested: Bool { interruptionFlag.load(ordering: .relaxed) }

    static func watch() {
        // A file that grows too large is then an error of the write, which cleans up, and not the end.
        signal(SIGXFSZ, SIG_IGN)
        for number in [SIGINT, SIGTERM] {
            signal(number) {
                interruptionFlag.store(true, ordering: .relaxed)
                signal($0, SIG_DFL)
            }
        }
    }
}

/// Apart from the type: a signal's handler captures nothing.
private let interruptionFlag = Atomic<Bool>(false)
