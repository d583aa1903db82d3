import Testing

@testable import PrivacyAccounting

@Suite struct SystemWordsTests {
    /// Words differ within a read, between reads and between generators; half of their bits are set, 6,400 within six
    /// deviations of 56.6 (a false alarm in 5·10⁸).
    @Test func wordsAreFresh() {
        var (one, other) = (SystemWords(), SystemWords())
        let words = (0..<100).map { _ in one.next() } + (0..<100).map { _ in other.next() }
        #expect(Set(words).count == 200)
        let ones = words.reduce(0) { $0 + $1.nonzeroBitCount }
        #expect(abs(ones - 6400) < 340)
    }
}
