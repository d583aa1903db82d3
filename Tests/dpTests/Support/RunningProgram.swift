import Foundation
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A process of `dp` that has begun, and that gets no further than its reader allows.
///
/// Its log goes through a pipe of one page (where the system lets a pipe be made smaller: on Linux). A line for each
/// step fills it within thirty steps, and the next write waits: a process whose plan is longer than that has not ended
/// before its reader has read on, whatever the clock says.
final class RunningProgram {
    private let process = Process()
    private let log = Pipe()
    private let output: URL
    private var messages: [UInt8] = []

    init(_ arguments: [String], in folder: WorkFolder, fileBlocks: Int? = nil, input: String? = nil) throws {
        let program = try #require(Program.path, "dp is not beside the test bundle: build it with 'swift build'.")
        output = FileManager.default.temporaryDirectory.appending(path: "dp-\(UUID().uuidString).txt")
        try Data().write(to: output)
        if let fileBlocks {
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = ["-c", "ulimit -f \(fileBlocks); exec \"$0\" \"$@\"", program] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
        }
        process.currentDirectoryURL = folder.url
        // The tests run beside each other, and results are compared bit by bit.
        process.environment = ProcessInfo.processInfo.environment.merging(["OPENBLAS_NUM_THREADS": "1"]) { $1 }
        process.standardInput =
            try input.map { try FileHandle(forReadingFrom: folder.url.appending(path: $0)) } ?? FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = log
        #if os(Linux)
            // F_SETPIPE_SZ, which Glibc's module hides.
            try #require(fcntl(log.fileHandleForWriting.fileDescriptor, 1031, 4096) >= 4096)
        #endif
        // A process inherits what its parent's thread blocks, and threads of a pool block what they should not be ended
        // by.
        var (none, blocked) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &blocked)
        defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try process.run()
        try? log.fileHandleForWriting.close()
    }

    /// Reads the log until it tells of `step` or a later one.
    func wait(forStep step: Int) throws {
        while true {
            try #require(readMore(), "The program ended before step \(step): \(text)")
            let steps = text.matches(of: /\bstep=([0-9]+)/).compactMap { Int($0.output.1) }
            if steps.contains(where: { $0 >= step }) { return }
        }
    }

    /// Sends a signal after so many microseconds more.
    func send(_ signal: Int32, after microseconds: UInt32 = 0) {
        usleep(microseconds)
        kill(process.processIdentifier, signal)
    }

    /// Reads the log to its end and waits for the process.
    func finish() throws -> Program.Outcome {
        while readMore() {}
        process.waitUntilExit()
        defer { try? FileManager.default.removeItem(at: output) }
        let status = process.terminationStatus
        return Program.Outcome(
            status: process.terminationReason == .uncaughtSignal ? -status : status,
            output: try String(contentsOf: output, encoding: .utf8), messages: text)
    }

    private var text: String { String(decoding: messages, as: UTF8.self) }

    /// Whether there was more to read.
    private func readMore() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 512)
        var count = 0
        repeat {
            count = read(log.fileHandleForReading.fileDescriptor, &chunk, chunk.count)
        } while count < 0 && errno == EINTR
        messages += chunk.prefix(max(0, count))
        return count > 0
    }
}
