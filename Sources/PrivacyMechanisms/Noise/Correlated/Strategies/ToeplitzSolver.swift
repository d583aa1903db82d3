/// Products with a lower-triangular Toeplitz matrix C with c₀ = 1 and few diagonals, and with its inverse. O(n·b) each.
struct ToeplitzSolver {
    /// c_{b−1}, …, c₁, in the order in which earlier elements lie.
    private let reversed: [Double]

    init(coefficients: [Double]) { reversed = coefficients.dropFirst().reversed() }

    /// x with Cx = y: x_t = y_t − Σ_{0<j<b} c_j x_{t−j}.
    func solution(_ y: [Double]) -> [Double] {
        var x = y
        x.withUnsafeMutableBufferPointer { x in
            reversed.withUnsafeBufferPointer { reversed in
                for t in x.indices { x[t] -= Self.tail(of: x, at: t, reversed) }
            }
        }
        return x
    }

    /// Cy without y: Σ_{0<j<b} c_j y_{t−j}.
    func productBelowDiagonal(_ y: [Double]) -> [Double] {
        y.withUnsafeBufferPointer { y in
            reversed.withUnsafeBufferPointer { reversed in
                y.indices.map { Self.tail(of: UnsafeMutableBufferPointer(mutating: y), at: $0, reversed) }
            }
        }
    }

    /// x with Cᵀx = y: x_t = y_t − Σ_{0<j<b} c_j x_{t+j}.
    func transposedSolution(_ y: [Double]) -> [Double] { solution(y.reversed()).reversed() }

    private static func tail(
        of x: UnsafeMutableBufferPointer<Double>, at t: Int, _ reversed: UnsafeBufferPointer<Double>
    ) -> Double {
        let count = min(t, reversed.count)
        if count == 0 { return 0 }
        return dot(x.baseAddress! + (t - count), reversed.baseAddress! + (reversed.count - count), count)
    }

    /// Σ a_i b_i, in eight sums beside each other: a single one would wait for every addition.
    static func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
        var sums = SIMD8<Double>.zero
        var index = 0
        while index + 8 <= count {
            let left = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<Double>.self)
            let right = UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<Double>.self)
            sums += left * right
            index += 8
        }
        var sum = sums.sum()
        while index < count {
            sum += a[index] * b[index]
            index += 1
        }
        return sum
    }
}
