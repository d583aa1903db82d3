#if canImport(Darwin)
    import Darwin
#else
    @preconcurrency import Glibc
#endif

/// One line on standard error that says what is going on; silent where that is not a terminal.
package struct ProgressLine: Sendable {
    private let terminal = Terminal.error

    package init() {}

    package var isTerminal: Bool { terminal.isTerminal }

    /// Replaces the line by as many of the parts as fit into the terminal's width of this moment, the first ones.
    ///
    /// The last column stays free: some terminals begin a new line as soon as it is written.
    package func show(_ parts: [String]) {
        guard isTerminal else { return }
        fputs("\r\u{1b}[2K\(Self.line(parts, columns: terminal.columns))", stderr)
    }

    /// Replaces the line.
    package func show(_ text: String) { show([text]) }

    /// Removes the line, so that what is printed next starts on a clean one.
    package func clear() { show([]) }

    /// As many of the parts, two blanks between them, as fit into `columns` − 1 columns; of the first, what fits.
    package static func line(_ parts: [String], columns: Int) -> String {
        let room = columns - 1
        var line = String((parts.first ?? "").prefix(room))
        for part in parts.dropFirst() {
            guard line.count + 2 + part.count <= room else { break }
            line += "  " + part
        }
        return line
    }
}
