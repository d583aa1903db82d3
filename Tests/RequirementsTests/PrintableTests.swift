import Requirements
import Testing

@Suite struct PrintableTests {
    @Test func whatMovesTheCursorIsEscaped() {
        #expect("x\ry\n\tz\r\n".printable == #"x\ry\n\tz\r\n"#)
        #expect("\u{1b}[2J\u{0}\u{7f}\u{9b}".printable == #"\u{1b}[2J\u{0}\u{7f}\u{9b}"#)
        #expect("a\u{2028}b\u{202e}c\u{2066}".printable == #"a\u{2028}b\u{202e}c\u{2066}"#)
    }

    /// Every mark and embedding of writing direction (Unicode Standard Annex 9).
    @Test func whatTurnsTheWritingDirectionIsEscaped() {
        let marks: [UInt32] = [0x61c, 0x200e, 0x200f] + Array(0x202a...0x202e) + Array(0x2066...0x2069)
        for mark in marks {
            let text = String(Character(Unicode.Scalar(mark)!))
            #expect("a\(text)b".printable == "a\\u{\(String(mark, radix: 16))}b")
        }
    }

    /// The control: what people write in any script stays as it is.
    @Test func textStaysAsItIs() {
        for text in ["", "naïve café ", "e\u{301}", "👩‍👧", "שלום", "日本", #"C:\new"#] {
            #expect(Array(text.printable.unicodeScalars) == Array(text.unicodeScalars))
        }
    }
}
