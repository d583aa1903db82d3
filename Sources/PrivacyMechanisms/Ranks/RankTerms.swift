import PyTrees

/// A digest of what a sum's integers mean and of the noise that they get, which has to be the same on every rank. It is
/// made of public numbers, and is no secret; it finds differences, and nobody would make one on purpose.
struct RankTerms {
    private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325

    /// - Parameter scale: the diagonal of the transform, where it has one; the weights of all parts follow from it.
    init(_ grid: SumGrid, noiseMultiplier: Double, divisor: Double, scale: ParameterVector?) {
        add(UInt64(grid.sensitivity))
        for number in [grid.spacing, noiseMultiplier, divisor] + grid.bounds { add(number.bitPattern) }
        guard let scale else { return }
        // Sixteen digests beside each other, each of every sixteenth number.
        var lanes = SIMD16<UInt32>(repeating: 0x811c_9dc5)
        scale.withUnsafeValues { values in
            var place = 0
            while place + 16 <= values.count {
                let bits = UnsafeRawPointer(values.baseAddress! + place).loadUnaligned(as: SIMD16<UInt32>.self)
                lanes = (lanes ^ bits) &* 0x0100_0193
                place += 16
            }
            for value in values[place...] { add(UInt64(value.bitPattern)) }
        }
        for lane in 0..<16 { add(UInt64(lanes[lane])) }
    }

    private mutating func add(_ number: UInt64) {
        digest = (digest ^ number) &* 0x0000_0100_0000_01b3
        digest ^= digest >> 29
    }
}
