extension DiscreteGaussianTable {
    /// The integer of one proposal, or nil if it is refused: exactly what the kernel and ``settle(_:_:using:)`` give
    /// together.
    func draw<Bits: RandomNumberGenerator>(_ first: UInt32, _ second: UInt32, using bits: inout Bits) -> Int? {
        let cell = cell(of: first)
        if second >> UInt32(shift) < quick[cell] { return place(cell, second) }
        return settle(first, second, using: &bits)
    }

    /// The integer of an undecided proposal, or nil if it is refused.
    func settle<Bits: RandomNumberGenerator>(_ first: UInt32, _ second: UInt32, using bits: inout Bits) -> Int? {
        let cell = cell(of: first)
        guard cell < Self.tail else { return settleTail(using: &bits) }
        let x = place(cell, second)
        let question = AcceptanceQuestion(table: self, x: x, weight: weights[cell], doublings: 0)
        let coin = UniformReal(coin: second >> UInt32(shift), coinBits: 32 - shift, first: bits.next())
        return question.isAccepted(coin, using: &bits) ? x : nil
    }

    /// A sign, a window k with probability 2⁻ᵏ⁻¹, and a uniform integer in it: y in (2ᵏ - 1)W ..< (2ᵏ⁺¹ - 1)W.
    ///
    /// So x is proposed with w/(2³²·W·2²ᵏ⁺²), and accepted with Λ·exp(-τx²)·2²ᵏ⁺²/w.
    private func settleTail<Bits: RandomNumberGenerator>(using bits: inout Bits) -> Int? {
        let word = bits.next()
        let window = (word & ~(1 << 63)).trailingZeroBitCount
        // Beyond, every x is past 2³¹ - 1.
        guard window <= 30 else { return nil }
        let width = 1 << shift
        let y = ((1 << window) - 1) * width + Int(bits.next() & UInt64((width << window) - 1))
        let x = word >> 63 == 0 ? (Self.centre + 1) * width + y : -Self.centre * width - 1 - y
        guard x.magnitude <= Int32.max else { return nil }
        let question = AcceptanceQuestion(table: self, x: x, weight: weights[Self.tail], doublings: 2 * window + 2)
        let coin = UniformReal(coin: 0, coinBits: 0, first: bits.next())
        return question.isAccepted(coin, using: &bits) ? x : nil
    }

    func cell(of first: UInt32) -> Int {
        let entry = entries[Int(first >> 21)]
        return first & 0x1f_ffff < entry >> 11 ? Int(first >> 21) : Int(entry & 2047)
    }

    private func place(_ cell: Int, _ second: UInt32) -> Int {
        (cell - Self.centre) << shift | (Int(second) & ((1 << shift) - 1))
    }
}
