/// What is wrong with a checkpoint on disk. The checkpoint before it is still there.
public enum CheckpointError: Error, Equatable, Sendable {
    /// A file is not what was written: its length or checksum differs, or it does not parse.
    case corrupted(path: String, reason: String)
    /// It belongs to another plan, optimizer or model.
    case foreign(path: String, what: String)
    /// It is of a model that keeps other values fixed, such as those of frozen leaves.
    case otherFixedParameters(path: String)
    /// It was written by a version of the format that this one does not read.
    case unsupportedFormat(path: String, found: Int, supported: Int)
    /// The folder cannot be read.
    case unreadable(path: String, reason: String)
    /// Another process trains with the folder.
    case inUse(path: String)
    /// The folder cannot be made.
    case unwritable(path: String, reason: String)
}

extension CheckpointError: CustomStringConvertible {
    /// What is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .corrupted(let path, let reason):
            "The checkpoint '\(path)' is damaged: \(reason). "
                + "Move it away to go on from the one before it, if there is one beside it; "
                + "the report then does not cover what was reported of the steps between the two."
        case .foreign(let path, let what):
            "The checkpoint '\(path)' belongs to another \(what). Choose another folder, or the \(what) it is of."
        case .otherFixedParameters(let path):
            "The checkpoint '\(path)' is of a run that kept other parameters fixed, or none: go on with the frozen "
                + "leaves and values that the run began with, or choose another folder."
        case .unsupportedFormat(let path, let found, let supported):
            "The checkpoint '\(path)' has format \(found), but this version reads format \(supported): go on with "
                + "the version that wrote it, or begin anew in another folder."
                + (found <= 5 ? " Its steps added floating-point noise to floating-point sums." : "")
        case .unreadable(let path, let reason):
            "The checkpoint folder '\(path)' cannot be read: \(reason)"
        case .inUse(let path):
            "Another process is training with the checkpoints in '\(path)': wait for it, or stop it."
        case .unwritable(let path, let reason):
            "The checkpoint folder '\(path)' cannot be made: \(reason)"
        }
    }
}
