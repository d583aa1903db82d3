import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Files and folders that appear whole or not at all, even if the machine stops in between.
public enum AtomicFile {
    /// Writes `data` to a file beside `url`, waits until it is on disk, and renames it.
    ///
    /// Throws ``FileError/cannotWrite(path:reason:)``; what was at `url` before is then still there, and nothing else.
    ///
    /// - Parameter isConfidential: whether only the owner may read the file.
    public static func write(_ data: Data, to url: URL, isConfidential: Bool = false) throws(FileError) {
        let temporary = temporaryPath(beside: url)
        do throws(FileError) {
            try writeAndSync(data, to: temporary, mode: isConfidential ? 0o600 : 0o644)
            guard rename(temporary, url.path) == 0 else { throw failure(url.path) }
        } catch {
            unlink(temporary)
            throw error
        }
        syncFolder(url.deletingLastPathComponent())
    }

    /// Writes a folder of files, readable by their owner alone, in the same way; it replaces one that is there.
    ///
    /// Throws ``FileError/cannotWrite(path:reason:)``; what was at `url` before is then still there, and nothing else.
    public static func writeFolder(_ files: [String: Data], to url: URL) throws(FileError) {
        let parent = url.deletingLastPathComponent()
        let temporary = URL(fileURLWithPath: temporaryPath(beside: url))
        do throws(FileError) {
            do {
                try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
                try FileManager.default.createDirectory(
                    at: temporary, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            } catch {
                throw .cannotWrite(path: url.path, reason: error.localizedDescription)
            }
            for (name, data) in files.sorted(by: { $0.key < $1.key }) {
                try writeAndSync(data, to: temporary.appending(path: name).path, mode: 0o600)
            }
            syncFolder(temporary)
            try replaceFolder(url, with: temporary)
        } catch {
            try? FileManager.default.removeItem(at: temporary)
            throw error
        }
        syncFolder(parent)
    }

    /// A folder cannot be renamed over one that holds files: the old one steps aside first.
    private static func replaceFolder(_ url: URL, with temporary: URL) throws(FileError) {
        if rename(temporary.path, url.path) == 0 { return }
        guard errno == ENOTEMPTY || errno == EEXIST else { throw failure(url.path) }
        let aside = temporaryPath(beside: url)
        guard rename(url.path, aside) == 0 else { throw failure(url.path) }
        guard rename(temporary.path, url.path) == 0 else {
            let error = failure(url.path)
            rename(aside, url.path)
            throw error
        }
        try? FileManager.default.removeItem(atPath: aside)
    }

    private static func writeAndSync(_ data: Data, to path: String, mode: mode_t) throws(FileError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var written = 0
        let isWhole = data.withUnsafeBytes { bytes in
            while written < bytes.count {
                let count = Self.write(file, bytes.baseAddress! + written, bytes.count - written)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return false }
                written += count
            }
            return true
        }
        guard isWhole, fsync(file) == 0 else { throw failure(path) }
    }

    private static func write(_ file: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Darwin)
            Darwin.write(file, bytes, count)
        #else
            Glibc.write(file, bytes, count)
        #endif
    }

    /// Makes renames in the folder last. A folder that cannot be synced has been renamed in all the same.
    private static func syncFolder(_ url: URL) {
        let folder = open(url.path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// Begins with a full stop: a listing that looks for finished files does not take it for one.
    private static func temporaryPath(beside url: URL) -> String {
        url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).\(UUID().uuidString).partial").path
    }

    private static func failure(_ path: String) -> FileError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
}
