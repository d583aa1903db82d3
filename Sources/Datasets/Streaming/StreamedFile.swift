import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A file that is read by places while it must stay what it is.
///
/// Reading has no position that threads would share. The file counts as changed once the path leads to another inode,
/// or size or time of modification differ from what they were when it was opened. A change within the clock tick of
/// the opening, or one that puts the time back, is not seen.
final class StreamedFile: Sendable {
    let path: String
    /// The number of bytes.
    let size: Int
    private let descriptor: Int32
    /// The path whatever the working folder becomes.
    private let absolutePath: String
    private let identity: Identity

    private struct Identity: Equatable {
        let device: Int
        let inode: UInt64
        let size: Int
        let seconds: Int
        let nanoseconds: Int

        init(_ status: stat) {
            device = Int(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int(status.st_size)
            #if canImport(Darwin)
                seconds = status.st_mtimespec.tv_sec
                nanoseconds = status.st_mtimespec.tv_nsec
            #else
                seconds = status.st_mtim.tv_sec
                nanoseconds = status.st_mtim.tv_nsec
            #endif
        }
    }

    /// Opens the file at `path`. Throws ``DatasetError`` if it cannot be read, or is no regular file.
    init(_ path: String) throws(DatasetError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(.cannotRead(path: path, code: errno)) }
        var status = stat()
        let isKnown = fstat(descriptor, &status) == 0
        let code = errno
        // Before anything is thrown: an object that was not made whole has no deinitializer.
        guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            if !isKnown { throw .file(.cannotRead(path: path, code: code)) }
            throw .cannotStream(path: path, reason: "it is a folder, a device or a pipe. Give the path of a file.")
        }
        self.path = path
        self.descriptor = descriptor
        identity = Identity(status)
        size = identity.size
        absolutePath =
            path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    deinit { close(descriptor) }

    /// The bytes of the ranges, one after the other in the order asked. Ranges that follow each other in the file are
    /// read at once.
    ///
    /// Throws ``FileError/changed(path:)``, also if the file ends before a range does.
    func read(_ ranges: [Range<Int>]) throws(DatasetError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: ranges.reduce(0) { $0 + $1.count })
        var place = 0
        var next = 0
        while next < ranges.count {
            var range = ranges[next]
            next += 1
            while next < ranges.count, ranges[next].lowerBound == range.upperBound {
                range = range.lowerBound..<ranges[next].upperBound
                next += 1
            }
            try bytes.withUnsafeMutableBufferPointer { (bytes) throws(DatasetError) in
                try read(range, into: UnsafeMutableBufferPointer(rebasing: bytes[place..<place + range.count]))
            }
            place += range.count
        }
        try checkUnchanged()
        return bytes
    }

    private func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<UInt8>) throws(DatasetError) {
        var count = 0
        while count < range.count {
            let target = buffer.baseAddress! + count
            let more = pread(descriptor, target, range.count - count, off_t(range.lowerBound + count))
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw .file(.cannotRead(path: path, code: errno)) }
            guard more > 0 else { throw hasChanged }
            count += more
        }
    }

    /// Throws ``FileError/changed(path:)`` unless the path leads to the file as it was when it was opened.
    func checkUnchanged() throws(DatasetError) {
        var status = stat()
        guard stat(absolutePath, &status) == 0, Identity(status) == identity else { throw hasChanged }
    }

    /// The error for a file that is not what it was.
    var hasChanged: DatasetError { .file(.changed(path: path)) }
}
