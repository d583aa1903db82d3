/// A source of 64-bit words, which the choices of samplers take to be independent and uniform.
protocol RandomWords {
    /// The next 64 random bits.
    mutating func next() -> UInt64
}
