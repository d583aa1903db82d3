import LinearAlgebra

/// SplitMix64, so that every run of a test sees the same numbers.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1...1, using: &self) }
    }

    mutating func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        Matrix(rows: rows, columns: columns, elements: floats(rows * columns))
    }
}

extension Matrix {
    var elements: [Float] { withUnsafeElements { Array($0) } }

    var transposed: Matrix {
        var result = Matrix(rows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns { result[column, row] = self[row, column] }
        }
        return result
    }

    /// Where the elements lie, to see whether they were copied.
    var address: UInt { withUnsafeElements { UInt(bitPattern: $0.baseAddress) } }
}

extension Collection where Element == Float {
    var bits: [UInt32] { map(\.bitPattern) }
}
