import Foundation

/// A file in memory, for readers that take paths.
enum ScratchFile {
    /// `/dev/shm` is memory on Linux; elsewhere the temporary folder has to do.
    static let folder: String = {
        let root = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let folder = ProcessInfo.processInfo.environment["FUZZ_SCRATCH"] ?? "\(root)/fuzz-\(getpid())"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }()

    /// The path of a file that holds `bytes`, until the next one of that name is asked for.
    static func holding(_ bytes: some Sequence<UInt8>, named name: String = "input") -> String {
        let path = "\(folder)/\(name)"
        let bytes = Array(bytes)
        guard let file = fopen(path, "w") else { fatalError("'\(path)' cannot be written.") }
        expect(fwrite(bytes, 1, bytes.count, file) == bytes.count, "'\(path)' cannot be written.")
        fclose(file)
        return path
    }
}
