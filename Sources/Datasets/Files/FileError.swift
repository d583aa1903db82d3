import Requirements

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What can go wrong with a file, whatever it holds.
public enum FileError: Error, Equatable, Sendable {
    /// The file cannot be opened or read; `code` is the system's `errno`.
    case cannotRead(path: String, code: Int32)
    /// The file, or what it inflates to, is longer than `limit` bytes.
    case tooLarge(path: String, limit: Int)
    /// A gzip stream ends before its last block or its checksum.
    case truncatedGzip(path: String)
    /// A gzip stream is not what its format or its checksum says; `offset` bytes of the file were read until then.
    case damagedGzip(path: String, offset: Int, reason: String)
    /// A file cannot be written: `step` is what failed, and `code` the system's `errno`.
    case cannotWrite(path: String, step: WritingStep, code: Int32)
    /// A file is to be replaced by something that is no regular file: a folder, a device, a pipe.
    case notARegularFile(path: String)
    /// A file that is read example by example is not the one any more that it was when it was opened: its size, its
    /// time of modification or its inode differ, or it is gone.
    case changed(path: String)
    /// A safetensors file breaks its format, or does not hold what it should.
    case tensors(path: String, problem: SafeTensorsProblem)
    /// A safetensors file, the mapping that it is read or written by, and the leaves do not fit together.
    case mapping(path: String, problem: WeightMappingProblem)

    /// The steps of an atomic write, in their order.
    public enum WritingStep: String, Sendable {
        /// The temporary file is made in the target's folder.
        case create
        /// The bytes are written to the temporary file.
        case write
        /// The temporary file is synchronized with the disk.
        case synchronize
        /// The temporary file takes the target's name.
        case rename
        /// The folder is synchronized with the disk, after the new file has taken the old one's place.
        case synchronizeFolder
    }
}

extension FileError: CustomStringConvertible {
    /// The file, what is wrong with it, and the remedy. Control characters of names are escaped.
    public var description: String { sentence.printable }

    private var sentence: String {
        switch self {
        case .cannotRead(let path, let code):
            "'\(path)' cannot be read: \(Self.text(of: code)). Give the path of a readable file."
        case .tooLarge(let path, let limit):
            "'\(path)' is, or inflates to, more than \(limit) bytes: raise the limit if the file can be trusted."
        case .truncatedGzip(let path):
            "'\(path)' ends in the middle of its gzip stream: fetch or write it again."
        case .damagedGzip(let path, let offset, let reason):
            "'\(path)' has a damaged gzip stream before byte \(offset) (\(reason)): fetch or write it again."
        case .cannotWrite(let path, let step, let code):
            "'\(path)' cannot be written: \(step.description) failed (\(Self.text(of: code))). "
                + (step == .synchronizeFolder
                    ? "The new file is in place, but may not survive a loss of power."
                    : "What was there before is untouched; see to space and permissions, and write again.")
        case .notARegularFile(let path):
            "'\(path)' is a folder, a device or a pipe, which cannot be replaced by a file: choose another path."
        case .changed(let path):
            "'\(path)' has changed, or is gone, since it was opened, and examples are read from it all the time: leave "
                + "data alone until training ends, and begin again."
        case .tensors(let path, let problem):
            "'\(path)' is not the safetensors file that was expected: \(problem)"
        case .mapping(let path, let problem):
            "The mapping does not fit '\(path)': \(problem)"
        }
    }

    private static func text(of code: Int32) -> String { String(cString: strerror(code)) }
}

extension FileError.WritingStep: CustomStringConvertible {
    /// What the step does.
    public var description: String {
        switch self {
        case .create: "making a temporary file in its folder"
        case .write: "writing the temporary file beside it"
        case .synchronize: "synchronizing the temporary file with the disk"
        case .rename: "giving the temporary file its name"
        case .synchronizeFolder: "synchronizing its folder with the disk"
        }
    }
}
