import Testing

@testable import Datasets

@Suite struct DecimalNumberTests {
    private func parse(_ text: String) -> Double? {
        var text = text
        return text.withUTF8 { DecimalNumber.parse($0) }
    }

    /// The standard library rounds to the nearest as well: both must agree to the bit, on the fast path and off it.
    @Test func agreesWithTheStandardLibrary() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let digits = String(
                UInt64.random(in: 0 ... .max, using: &generator) >> Int.random(in: 0..<64, using: &generator))
            let point = Int.random(in: 0...digits.count, using: &generator)
            let text =
                (Bool.random(using: &generator) ? "-" : "") + digits.prefix(point) + "." + digits.dropFirst(point)
                + (Bool.random(using: &generator) ? "e\(Int.random(in: -40...40, using: &generator))" : "")
            let expected = Double(
                text.replacing(".e", with: ".0e").replacing("-.", with: "-0.") + (text.last == "." ? "0" : ""))
            #expect(parse(text)?.bitPattern == expected?.bitPattern, "\(text)")
        }
    }

    @Test func edges() {
        #expect(parse("0") == 0)
        #expect(parse("-0")?.sign == .minus)
        #expect(parse("+1.") == 1)
        #expect(parse(".5") == 0.5)
        #expect(parse("1E2") == 100)
        #expect(parse("9007199254740993") == 9_007_199_254_740_992)
        #expect(parse("1e-999") == 0)
        #expect(parse("00000000000000000000000000012.50") == 12.5)
        #expect(parse("123456789012345678901.") == 123_456_789_012_345_683_968)
        #expect(parse(".12345678901234567890123") == 0.12345678901234567890123)
        for text in ["", "+", ".", "-.", "e5", "1e", "1e+", "1.2.3", "1 2", "0x1", "nan", "1e400", "infinity", "1_000"]
        {
            #expect(parse(text) == nil, "\(text)")
        }
    }
}

@Suite struct CategoryTableTests {
    private func index(_ text: String, in table: CategoryTable) -> Int? {
        var text = text
        return text.withUTF8 { table.index(of: $0) }
    }

    @Test func findsEachTextAndNoOther() {
        let texts = (0..<1000).map { "category \($0)" } + [""]
        let table = CategoryTable(texts)
        #expect(table.texts == texts)
        for (place, text) in texts.enumerated() {
            #expect(index(text, in: table) == place)
            #expect(index(text + "x", in: table) == nil)
        }
    }

    @Test func insertsOnce() {
        var table = CategoryTable(["a"])
        var text = "b"
        #expect(text.withUTF8 { table.insert($0) } == 1)
        #expect(text.withUTF8 { table.insert($0) } == 1)
        #expect(table.count == 2)
    }
}
