import PyTrees

/// A digest of public numbers that have to be the same on every rank, by which integers are read: it finds differences
/// that nobody makes on purpose.
struct RankDigest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ number: UInt64) {
        value = (value ^ number) &* 0x0000_0100_0000_01b3
        value ^= value >> 29
    }

    mutating func add(_ values: UnsafeBufferPointer<Float>) {
        // Sixteen digests beside each other, each of every sixteenth number.
        var lanes = SIMD16<UInt32>(repeating: 0x811c_9dc5)
        var place = 0
        while place + 16 <= values.count {
            let bits = UnsafeRawPointer(values.baseAddress! + place).loadUnaligned(as: SIMD16<UInt32>.self)
            lanes = (lanes ^ bits) &* 0x0100_0193
            place += 16
        }
        for value in values[place...] { add(UInt64(value.bitPattern)) }
        for lane in 0..<16 { add(UInt64(lanes[lane])) }
    }
}

extension RankDigest {
    /// Of what a sum's integers mean, and of the noise that they get.
    ///
    /// - Parameter scale: that under which integers are bounded, where there is one.
    init(_ grid: SumGrid, noiseMultiplier: Double, divisor: Double, scale: ParameterVector?) {
        add(UInt64(grid.sensitivity))
        for number in [grid.spacing, noiseMultiplier, divisor] + grid.bounds { add(number.bitPattern) }
        scale?.withUnsafeValues { add($0) }
    }

    /// Of how the fine sum of a leaf is read.
    init(_ part: FinePart) {
        add(UInt64(part.rowLength))
        add(part.unit.bitPattern)
        for weights in [part.rowWeights, part.columnWeights] {
            add(UInt64(weights?.count ?? 0))
            weights?.withUnsafeBufferPointer { add($0) }
        }
    }
}
