import CPrivacyKernels
import Testing

private typealias SquaredNorms = (
    _ rows: UnsafePointer<UnsafePointer<Float>>, _ rowCount: Int, _ offset: Int, _ count: Int,
    _ scale: UnsafePointer<Float>?, _ out: UnsafeMutablePointer<Double>
) -> Void

/// Σ (scale · value)² as an unevaluated sum of two Float64: the product of two Float32 is exact in Float64, and of
/// the square and of each addition the rounding error is kept (Dekker 1971), so it is exact to about n·2⁻¹⁰⁴.
private func exactSquaredNorm(_ row: ArraySlice<Float>, scale: ArraySlice<Float>?) -> (high: Double, low: Double) {
    var (high, low) = (0.0, 0.0)
    for (index, value) in row.enumerated() {
        let x = Double(value) * (scale.map { Double($0[$0.startIndex + index]) } ?? 1)
        let square = x * x
        let sum = high + square
        let part = sum - high
        low += (high - (sum - part)) + (square - part) + (-square).addingProduct(x, x)
        high = sum
    }
    return (high, low)
}

/// How many results of `subject` lie further from the exact norm than (count + 2)·2⁻⁵³ of it: each of the non-negative
/// terms passes through one rounding of its square and fewer than count + 1 of additions.
private func failures(of subject: SquaredNorms) -> Int {
    var generator = SeededGenerator(seed: 1)
    var failures = 0
    let lastCount = 5003
    let values = (0..<9).map { _ in (0..<lastCount + 8).map { _ in generator.float(exponents: -20...20) } }
    let scales = (0..<lastCount + 8).map { _ in generator.float(exponents: -10...10) }
    for count in Array(0...40) + [1000, 4096, lastCount] {
        for offset in [0, 1, 3, 8] {
            // Whatever is outside the columns in question poisons the sum, or crashes behind the end.
            let outside = [Float](repeating: .nan, count: offset)
            let rows = values.map { FencedBuffer(outside + $0[offset..<offset + count]) }
            let scaleBuffer = FencedBuffer(outside + scales[offset..<offset + count])
            defer { withExtendedLifetime((rows, scaleBuffer)) {} }
            let pointers = rows.map { UnsafePointer($0.base) }
            for isScaled in [false, true] {
                let exact = values.map {
                    exactSquaredNorm(
                        $0[offset..<offset + count], scale: isScaled ? scales[offset..<offset + count] : nil)
                }
                for rowCount in 0...9 {
                    let out = FencedBuffer([Double](repeating: .nan, count: rowCount))
                    subject(
                        pointers, rowCount, offset, count, isScaled ? UnsafePointer(scaleBuffer.base) : nil, out.base)
                    for (result, exact) in zip(out.elements, exact) {
                        let error = ((result - exact.high) - exact.low).magnitude
                        if !(error <= Double(count + 2) * 0x1p-53 * exact.high) { failures += 1 }
                    }
                }
            }
        }
    }
    return failures
}

struct SquaredNormsTests {
    @Test(arguments: Level.available)
    func errorStaysWithinTheBound(level: Level) {
        #expect(failures(of: level.kernels.squared_norms) == 0)
    }

    @Test func theBoundRejectsFloat32SumsAndLostColumns() {
        // Control: the same sum in Float32.
        let inFloat: SquaredNorms = { rows, rowCount, offset, count, scale, out in
            for row in 0..<rowCount {
                var sum: Float = 0
                for j in offset..<offset + count {
                    let x = rows[row][j] * (scale?[j] ?? 1)
                    sum += x * x
                }
                out[row] = Double(sum)
            }
        }
        // Control: the last column is lost whenever it does not fill a vector.
        let shortened: SquaredNorms = { rows, rowCount, offset, count, scale, out in
            let kept = count % 8 == 1 ? count - 1 : count
            Level.portable.kernels.squared_norms(rows, rowCount, offset, kept, scale, out)
        }
        #expect(failures(of: inFloat) > 1000)
        #expect(failures(of: shortened) > 100)
    }

    @Test(arguments: Level.available)
    func levelsAgreeToTheBit(level: Level) {
        var generator = SeededGenerator(seed: 2)
        let rows = (0..<7).map { _ in FencedBuffer((0..<1003).map { _ in generator.float(exponents: -2...2) }) }
        let pointers = rows.map { UnsafePointer($0.base) }
        let scale = FencedBuffer((0..<1003).map { _ in generator.float(exponents: -5...5) })
        defer { withExtendedLifetime((rows, scale)) {} }
        for count in [0, 1, 8, 9, 500, 1003] {
            for scale in [nil, UnsafePointer(scale.base)] {
                func norms(_ kernels: dpk_kernels) -> [UInt64] {
                    var out = [Double](repeating: .nan, count: 7)
                    kernels.squared_norms(pointers, 7, 0, count, scale, &out)
                    return out.bits
                }
                #expect(norms(level.kernels) == norms(Level.portable.kernels))
                // Control: so many terms added from left to right do not give these bits.
                if count > 9 {
                    let serial = rows.map { row in
                        (0..<count).reduce(0.0) {
                            let x = Double(row.base[$1]) * Double(scale?[$1] ?? 1)
                            return $0 + x * x
                        }
                    }
                    #expect(norms(level.kernels) != serial.bits)
                }
            }
        }
    }

    @Test(arguments: Level.available)
    func extremesNeitherOverflowNorVanish(level: Level) {
        let extremes: [Float] = [.greatestFiniteMagnitude, .leastNonzeroMagnitude, -.leastNormalMagnitude, -0.0]
        for count in [1, 8, 13] {
            for value in extremes {
                let row = [Float](repeating: value, count: count)
                var out = 0.0
                row.withUnsafeBufferPointer { row in
                    var pointer = row.baseAddress!
                    level.kernels.squared_norms(&pointer, 1, 0, count, row.baseAddress, &out)
                }
                // (v²)² = v⁴ has its exponent within Float64's, the significand of 2ᵉ is 1 and of the largest 2 - 2⁻²³.
                let square = Double(value) * Double(value)
                let exact = Double(count) * (square * square)
                #expect((out - exact).magnitude <= Double(count + 2) * 0x1p-52 * exact)
                #expect((out > 0) == (value != 0) && out.isFinite)
            }
        }
    }

    @Test(arguments: Level.available)
    func nonFiniteRowsDoNotSpreadToTheirNeighbours(level: Level) {
        for (poison, expected) in [(Float.infinity, "inf"), (-.infinity, "inf"), (.nan, "nan")] {
            for count in [3, 16, 21] {
                for poisoned in 0..<6 {
                    let rows = (0..<6).map { row in
                        FencedBuffer((0..<count).map { row == poisoned && $0 == count - 1 ? poison : 1 })
                    }
                    var out = [Double](repeating: 0, count: 6)
                    withExtendedLifetime(rows) {
                        level.kernels.squared_norms(rows.map { UnsafePointer($0.base) }, 6, 0, count, nil, &out)
                    }
                    for row in 0..<6 {
                        let text = row == poisoned ? expected : "\(Double(count))"
                        #expect("\(out[row].isNaN ? .nan : out[row])" == text)
                    }
                }
            }
        }
    }
}
