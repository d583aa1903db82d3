#if canImport(Darwin)
    import Darwin
#else
    @preconcurrency import Glibc
#endif

/// What a stream's reader can show: how many columns, and whether colours.
package struct Terminal: Sendable {
    package static let output = Terminal(descriptor: STDOUT_FILENO)
    package static let error = Terminal(descriptor: STDERR_FILENO)

    private let descriptor: Int32
    /// Whether somebody looks at it.
    package let isTerminal: Bool
    /// Whether it shows colours, and is asked to: not where `NO_COLOR` is set (no-color.org) or `TERM` is "dumb".
    package let hasColors: Bool

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        let isUnwanted = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
        hasColors = isTerminal && !isUnwanted && !isDumb
    }

    /// How many columns it has just now, at least 20. Where it is no terminal there is no limit: lines stay whole for
    /// programs. 80 where a terminal does not say.
    package var columns: Int {
        guard isTerminal else { return .max }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return max(20, Int(size.ws_col))
    }

    /// The text in bold.
    package func bold(_ text: String) -> String { styled(text, "1") }

    /// The text in the colour of warnings.
    package func warning(_ text: String) -> String { styled(text, "33") }

    private func styled(_ text: String, _ code: String) -> String {
        hasColors ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}

/// The text with lines of at most `columns` columns, broken at blanks. What goes on in a further line is indented as
/// deep as the line's value stands: behind a bullet, behind two blanks that follow a name, or four columns.
///
/// A word that is longer than a line stands in a line of its own.
package func wrapped(_ text: String, columns: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { wrappedLine($0, columns: columns) }
        .joined(separator: "\n")
}

private func wrappedLine(_ line: Substring, columns: Int) -> String {
    guard line.count > columns else { return String(line) }
    let indent = String(repeating: " ", count: hangingIndent(of: line, columns: columns))
    var lines: [String] = []
    var rest = line
    while true {
        let prefix = lines.isEmpty ? "" : indent
        let room = columns - prefix.count
        guard rest.count > room else {
            lines.append(prefix + rest)
            return lines.joined(separator: "\n")
        }
        // A blank at or before the edge, but none of those that the line begins with; else the first one beyond it.
        let start = rest.firstIndex { $0 != " " } ?? rest.startIndex
        let edge = rest.index(rest.startIndex, offsetBy: room)
        let inside = start < edge ? rest[start...edge].lastIndex(of: " ") : nil
        guard let blank = inside ?? rest[start...].firstIndex(of: " ") else {
            lines.append(prefix + rest)
            return lines.joined(separator: "\n")
        }
        lines.append(prefix + rest[..<blank].trimmingSuffix(while: { $0 == " " }))
        rest = rest[blank...].drop { $0 == " " }
    }
}

private func hangingIndent(of line: Substring, columns: Int) -> Int {
    if let bullet = line.prefixMatch(of: #/ *- /#) { return bullet.0.count }
    if let name = line.prefixMatch(of: #/ *\S+( \S+)*  +/#), name.0.count <= columns / 2 { return name.0.count }
    return 4
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> SubSequence {
        var end = endIndex
        while end > startIndex, isTrimmed(self[index(before: end)]) { end = index(before: end) }
        return self[..<end]
    }
}
