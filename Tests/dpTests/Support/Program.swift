import Foundation
import Testing

@testable import dp

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
    /// - Parameters:
    ///   - fileBlocks: the largest file that it may write, in blocks of 1024 bytes.
    ///   - input: the file in `folder` that is its standard input.
    static func run(
        _ arguments: [String], in folder: WorkFolder, fileBlocks: Int? = nil, input: String? = nil
    ) throws -> Outcome {
        try RunningProgram(arguments, in: folder, fileBlocks: fileBlocks, input: input).finish()
    }
}

/// The object that `text` is.
func jsonObject(_ text: String) throws -> [String: Any] {
    try JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8)).mapValues(\.foundation)
}

extension JSONValue {
    /// The value as `JSONSerialization` would give it, but with every number exact: that one is some units off in the
    /// last place of many.
    fileprivate var foundation: Any {
        switch self {
        case .null: NSNull()
        case .flag(let flag): flag
        case .integer(let integer): NSNumber(value: Double(integer))
        case .unsigned(let unsigned): NSNumber(value: Double(unsigned))
        case .number(let number): NSNumber(value: number)
        case .text(let text): text
        case .list(let list): list.map(\.foundation)
        case .object(let object): object.mapValues(\.foundation)
        }
    }
}
