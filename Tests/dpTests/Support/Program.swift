import Foundation
import Testing

/// The command line tool, as a process of its own.
enum Program {
    /// The executable beside the test bundle: the target depends on `dp`, so that `swift test` builds it there.
    static let path: String? = {
        let bundle = Bundle.main.bundleURL
        return [bundle, bundle.deletingLastPathComponent()].map { $0.appending(path: "dp").path }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// What a process came to.
    struct Outcome {
        /// The exit status; of a process that a signal ended, the signal's number, negative.
        let status: Int32
        let output: String
        /// All of standard error.
        let messages: String

        /// Standard error without the log of a run's progress.
        var complaints: [Substring] {
            messages.split(separator: "\n").filter { !$0.contains(" info dp") }
        }

        /// The last line of standard output as JSON.
        func json() throws -> [String: Any] {
            try jsonObject(String(try #require(output.split(separator: "\n").last)))
        }
    }

    /// Runs `dp` in `folder` to its end.
    ///
    /// - Parameter fileBlocks: the largest file that it may write, in blocks of 1024 bytes.
    static func run(_ arguments: [String], in folder: WorkFolder, fileBlocks: Int? = nil) throws -> Outcome {
        try RunningProgram(arguments, in: folder, fileBlocks: fileBlocks).finish()
    }
}

/// The object that `text` is.
func jsonObject(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}
