#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A lock on a folder that the system takes back when the process ends, however it ends.
final class FolderLock {
    private(set) var descriptor: Int32

    /// Locks the folder at `path`. Throws ``CheckpointError/inUse(path:)`` if another process holds it.
    init(_ path: String) throws(CheckpointError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .inUse(path: path)
        }
    }

    func release() {
        guard descriptor >= 0 else { return }
        // Closing alone would not do: a child that was just forked, and has not begun its own program, shares the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
        descriptor = -1
    }

    deinit { release() }
}
