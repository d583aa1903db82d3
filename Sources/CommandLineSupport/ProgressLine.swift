#if canImport(Darwin)
    import Darwin
#else
    @preconcurrency import Glibc
#endif

/// One line on standard error that says what is going on; silent where that is not a terminal.
package struct ProgressLine: Sendable {
    package let isTerminal = isatty(STDERR_FILENO) == 1

    package init() {}

    /// Replaces the line.
    package func show(_ text: String) {
        if isTerminal { fputs("\r\u{1b}[2K\(text)", stderr) }
    }

    /// Removes the line, so that what is printed next starts on a clean one.
    package func clear() {
        show("")
    }
}
