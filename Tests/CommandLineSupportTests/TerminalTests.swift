import Testing

@testable import CommandLineSupport

@Suite struct TerminalTests {
    /// Texts of words of many lengths, with bullets, names and plain lines.
    private static let texts: [String] = (0..<200).map { seed in
        var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let words = (0..<1 + next(30)).map { _ in String(repeating: "ε", count: 1 + next(14)) }
        return ["", "  - ", "  name          "][next(3)] + words.joined(separator: " ")
    }

    /// No line is wider than asked for, unless it is one word; and no word is lost.
    @Test(arguments: [20, 40, 60, 100]) func wrappedLinesFit(_ columns: Int) {
        for text in Self.texts {
            let lines = wrapped(text, columns: columns).split(separator: "\n")
            for line in lines where line.count > columns {
                let begin = line.first == " " && line != lines[0] ? 1 : 2
                #expect(line.split(separator: " ").count <= begin, "\(line)")
            }
            #expect(lines.flatMap { $0.split(separator: " ") } == text.split(separator: " "))
            if text.count <= columns { #expect(lines == [Substring(text)]) }
        }
    }

    @Test func furtherLinesStandBelowTheirValue() {
        #expect(wrapped("  - one two three", columns: 12) == "  - one two\n    three")
        #expect(wrapped("  a     one two three", columns: 16) == "  a     one two\n        three")
        #expect(wrapped("one two three", columns: 8) == "one two\n    three")
        #expect(wrapped("", columns: 8) == "")
        #expect(wrapped("a\n\nb", columns: 8) == "a\n\nb")
    }

    @Test(arguments: 2...60) func theProgressLineLeavesTheLastColumnFree(_ columns: Int) {
        let parts = ["12/345", "1:05 left", "accuracy 91.20 %", "ε 1.234"]
        let line = ProgressLine.line(parts, columns: columns)
        #expect(line.count < columns)
        #expect(parts.joined(separator: "  ").hasPrefix(line))
        // Nothing but whole parts, as soon as the first of them fits.
        if columns > 6 { #expect(line.split(separator: "  ").allSatisfy { parts.contains(String($0)) }) }
        if columns > 50 { #expect(line == parts.joined(separator: "  ")) }
    }
}
