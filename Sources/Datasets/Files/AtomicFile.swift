import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Writes files that are there as a whole or not at all.
public enum AtomicFile {
    /// Replaces the file at `path` by `data`, or makes it.
    ///
    /// The bytes go to a temporary file in the same folder, which is synchronized with the disk, takes the target's
    /// name in one step, and whose folder is then synchronized too. A reader therefore sees the old file or the new
    /// one, even after a loss of power. A symbolic link is followed; the permissions of a file that is replaced stay as
    /// they were.
    ///
    /// Throws ``FileError`` and leaves the previous file untouched and nothing beside it; only if the very last step
    /// fails (``FileError/WritingStep/synchronizeFolder``) is the new file in place already.
    public static func write(_ data: Data, to path: String) throws(FileError) {
        try write(data, to: path, permissions: nil)
    }

    /// The same for a file that its owner alone may read and write, whatever it was before: it is never open to others,
    /// not even while it is written.
    package static func writeSecret(_ data: Data, to path: String) throws(FileError) {
        try write(data, to: path, permissions: 0o600)
    }

    private static func write(_ data: Data, to path: String, permissions given: mode_t?) throws(FileError) {
        let target = resolved(path)
        var permissions = given
        var status = stat()
        if stat(target, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile(path: path) }
            permissions = given ?? (status.st_mode & 0o7777)
        }
        let folder = (target as NSString).deletingLastPathComponent
        let temporary = (folder as NSString).appendingPathComponent(
            "\(temporaryPrefix)\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36))")

        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, given ?? 0o666)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, step: .create, code: errno) }
        do throws(Failure) {
            try fill(descriptor, with: data, permissions: permissions)
            guard rename(temporary, target) == 0 else { throw Failure(step: .rename) }
        } catch {
            unlink(temporary)
            throw .cannotWrite(path: path, step: error.step, code: error.code)
        }
        try synchronizeFolder(folder.isEmpty ? "." : folder, path: path)
    }

    /// Gives the folder at `path` the name `target` in one step, and waits until that is on disk; a folder that is
    /// there already is replaced. Files in it are expected to be on disk.
    ///
    /// Between two of its steps a folder that is replaced has the name of `path` with ``asideSuffix``. Who is killed
    /// then leaves nothing at `target`.
    ///
    /// Throws ``FileError``, and then what was at `target` is still there.
    package static func moveFolder(_ path: String, to target: String) throws(FileError) {
        let parent = (target as NSString).deletingLastPathComponent
        try synchronizeFolder(path, path: target)
        do throws(Failure) {
            if rename(path, target) != 0 {
                guard errno == ENOTEMPTY || errno == EEXIST else { throw Failure(step: .rename) }
                // A folder that holds files cannot be renamed over: it steps aside first.
                let aside = path + asideSuffix
                guard rename(target, aside) == 0 else { throw Failure(step: .rename) }
                guard rename(path, target) == 0 else {
                    let failure = Failure(step: .rename)
                    rename(aside, target)
                    throw failure
                }
                try? FileManager.default.removeItem(atPath: aside)
            }
        } catch {
            throw .cannotWrite(path: target, step: error.step, code: error.code)
        }
        try synchronizeFolder(parent.isEmpty ? "." : parent, path: target)
    }

    /// Removes the temporary files of writers that were killed from the folder at `path`, where nobody is writing now.
    package static func removeLeftovers(in path: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names where name.hasPrefix(temporaryPrefix) {
            unlink((path as NSString).appendingPathComponent(name))
        }
    }

    private static let temporaryPrefix = ".writing-"

    /// What is added to a folder's temporary name for the one that it replaces.
    package static let asideSuffix = ".old"

    private struct Failure: Error {
        let step: FileError.WritingStep
        /// Read at once, before cleaning up overwrites it.
        let code = errno
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Writes the temporary file to its end and closes it, whatever happens.
    private static func fill(_ descriptor: Int32, with data: Data, permissions: mode_t?) throws(Failure) {
        defer { close(descriptor) }
        if let permissions, fchmod(descriptor, permissions) != 0 { throw Failure(step: .create) }
        try writeAll(data, to: descriptor)
        guard synchronize(descriptor) else { throw Failure(step: .synchronize) }
    }

    private static func writeAll(_ data: Data, to descriptor: Int32) throws(Failure) {
        var written = 0
        while written < data.count {
            let count = data.withUnsafeBytes {
                systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: $0[written...].prefix(1 << 30)))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(step: .write)
            }
            written += count
        }
    }

    /// Whether the file's bytes have reached the disk.
    private static func synchronize(_ descriptor: Int32) -> Bool {
        #if canImport(Darwin)
            // fsync stops at the drive's own memory there.
            if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
        #endif
        return fsync(descriptor) == 0
    }

    private static func synchronizeFolder(_ folder: String, path: String) throws(FileError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written to but not read cannot be synchronized by anyone.
        guard descriptor >= 0 else {
            if errno == EACCES { return }
            throw .cannotWrite(path: path, step: .synchronizeFolder, code: errno)
        }
        defer { close(descriptor) }
        // Some file systems have nothing to synchronize in a folder, and say so with EINVAL.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw .cannotWrite(path: path, step: .synchronizeFolder, code: errno)
        }
    }
}

/// The system's `write`, which the method above hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
