/// What can go wrong with a file that is written or read whole.
public enum FileError: Error, Equatable, Sendable {
    /// It could not be written; what was there before still is.
    case cannotWrite(path: String, reason: String)
    /// It could not be read.
    case cannotRead(path: String, reason: String)
    /// It is not a safetensors file, or one that this package does not read.
    case malformedTensors(reason: String)
}

extension FileError: CustomStringConvertible {
    /// The file, the reason, and the remedy.
    public var description: String {
        switch self {
        case .cannotWrite(let path, let reason):
            "'\(path)' could not be written: \(reason). Nothing was changed; make room or choose another place."
        case .cannotRead(let path, let reason):
            "'\(path)' could not be read: \(reason)."
        case .malformedTensors(let reason):
            "This is not a safetensors file of Float32 tensors: \(reason)."
        }
    }
}
