/// A uniform real in [0, 1): the first `coinBits` bits of its expansion, and the words that follow.
struct UniformReal {
    let coin: UInt32
    /// 0 … 32.
    let coinBits: Int
    /// A proposal in a hundred needs this word, and one in billions those after it: only they cost an allocation.
    private let first: UInt64
    private var further: [UInt64] = []

    init(coin: UInt32, coinBits: Int, first: UInt64) {
        (self.coin, self.coinBits, self.first) = (coin, coinBits, first)
    }

    var wordCount: Int { 1 + further.count }

    mutating func append(_ word: UInt64) { further.append(word) }

    /// Bits 64·index … 64·index + 63 of the expansion; index is below ``wordCount``.
    func limb(_ index: Int) -> UInt64 {
        let before = index == 0 ? UInt64(coin) : word(index - 1)
        return before << UInt64(64 - coinBits) | word(index) >> UInt64(coinBits)
    }

    private func word(_ index: Int) -> UInt64 { index == 0 ? first : further[index - 1] }
}
