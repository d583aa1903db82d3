import PyTrees
@_exported import _TestSupport

/// A sum of squares as an unevaluated sum of two Float64, exact to about 2⁻¹⁰⁰ relative.
struct ExactSquare {
    private(set) var high = 0.0
    private(set) var low = 0.0

    /// Squares of Float32 numbers are exact in Float64; the error of each addition is kept (Knuth's two-sum).
    init(_ values: some Sequence<Float>) {
        for value in values { add(Double(value) * Double(value)) }
    }

    private mutating func add(_ square: Double) {
        let sum = high + square
        let part = sum - high
        low += (high - (sum - part)) + (square - part)
        high = sum
    }

    /// Whether the square root is at most `bound`.
    func rootIsAtMost(_ bound: Double) -> Bool {
        if bound == .infinity { return true }
        let square = bound * bound
        let residue = (-square).addingProduct(bound, bound)
        return (high - square) + (low - residue) <= 0
    }
}

extension Sequence<Double> {
    /// The Euclidean norm.
    var norm: Double { reduce(0) { $0 + $1 * $1 }.squareRoot() }
}

/// Gradients that break careless implementations.
enum AdversarialRows {
    static func rows(count: Int) -> [(name: String, values: [Float])] {
        var generator = SeededGenerator(seed: 7)
        let signs = (0..<count).map { _ in generator.next() & 1 == 0 ? Float(1) : -1 }
        func filled(_ body: (Int) -> Float) -> [Float] { (0..<count).map { signs[$0] * body($0) } }
        return [
            ("huge", filled { _ in .greatestFiniteMagnitude }),
            ("large", filled { _ in 3e19 }),
            ("tiny", filled { _ in 1e-30 }),
            ("smallest normal", filled { _ in .leastNormalMagnitude }),
            ("denormal", filled { _ in .leastNonzeroMagnitude }),
            ("one hot", filled { $0 == count / 2 ? 1e10 : 0 }),
            ("one hot among dust", filled { $0 == count / 3 ? 1 : 1e-4 }),
            ("all ages", filled { Float(sign: .plus, exponent: -100 + $0 % 200, significand: 1.5) }),
            ("equal", filled { _ in 1.1 }),
            ("random", (0..<count).map { _ in generator.float() }),
            ("zero", filled { _ in 0 }),
        ]
    }
}

func flatLayout(_ count: Int) -> TreeLayout {
    try! TreeLayout([("gradient", [count])])
}
