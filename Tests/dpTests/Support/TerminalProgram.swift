import Foundation
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// `dp` in a terminal of a given width: what it writes to standard output and to standard error, as a terminal gets it.
struct TerminalProgram {
    let status: Int32
    let output: String
    let messages: String

    init(
        _ arguments: [String], columns: Int, in folder: WorkFolder, environment: [String: String] = [:]
    ) throws {
        let program = try #require(Program.path)
        let (output, error) = (try PseudoTerminal(columns: columns), try PseudoTerminal(columns: columns))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder.url
        var surroundings = ProcessInfo.processInfo.environment
        surroundings["NO_COLOR"] = nil
        surroundings["TERM"] = "xterm"
        process.environment = surroundings.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output.program
        process.standardError = error.program
        try process.run()
        // With both ends open in this process, nobody would see the end.
        output.closeProgramEnd()
        error.closeProgramEnd()
        let reader = Reader(output)
        messages = error.readToEnd()
        self.output = reader.wait()
        process.waitUntilExit()
        status = process.terminationStatus
    }

    /// Reads beside the thread that reads the other stream: a terminal that is full stops its writer.
    private final class Reader: @unchecked Sendable {
        private let done = DispatchSemaphore(value: 0)
        private var text = ""

        init(_ terminal: PseudoTerminal) {
            Thread.detachNewThread {
                self.text = terminal.readToEnd()
                self.done.signal()
            }
        }

        func wait() -> String {
            done.wait()
            return text
        }
    }

    /// What a line of the terminal shows at some moment: of each line, everything between two returns to its begin.
    static func shownLines(_ text: String) -> [String] {
        let plain = text.replacing(/\u{1b}\[[0-9]*[mK]/, with: "")
        return plain.replacing("\r\n", with: "\n").split { $0 == "\n" || $0 == "\r" }.map(String.init)
    }
}

/// The two ends of a pseudo-terminal.
final class PseudoTerminal: @unchecked Sendable {
    private let reader: Int32
    let program: FileHandle

    init(columns: Int) throws {
        #if os(Linux)
            // As posix_openpt and its kin do it, which Glibc's module hides.
            reader = open("/dev/ptmx", O_RDWR | O_NOCTTY)
            var (number, lock): (Int32, Int32) = (0, 0)
            let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
            try #require(reader >= 0 && ioctl(reader, setLock, &lock) == 0 && ioctl(reader, getNumber, &number) == 0)
            let path = "/dev/pts/\(number)"
        #else
            reader = posix_openpt(O_RDWR | O_NOCTTY)
            try #require(reader >= 0 && grantpt(reader) == 0 && unlockpt(reader) == 0)
            let path = String(cString: try #require(ptsname(reader)))
        #endif
        let end = open(path, O_RDWR | O_NOCTTY)
        try #require(end >= 0)
        program = FileHandle(fileDescriptor: end, closeOnDealloc: true)
        var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(reader, UInt(TIOCSWINSZ), &size) == 0)
    }

    deinit { close(reader) }

    func closeProgramEnd() { try? program.close() }

    func readToEnd() -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(reader, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            // The end of a terminal that nobody writes to any more is an error on Linux.
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk.prefix(count)
        }
    }
}
