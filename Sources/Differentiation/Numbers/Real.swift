import LinearAlgebra

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The numbers that operations compute with: `Float` for training, `Double` for checking.
///
/// An operation is written once, for any `Real`, so that what is compared with differences in Float64 is the code that
/// trains.
public protocol Real: BinaryFloatingPoint & BitwiseCopyable & Sendable {
    /// eˣ.
    static func exp(_ x: Self) -> Self
    /// ln x.
    static func log(_ x: Self) -> Self
    /// ln(1 + x), exact for small x.
    static func log1p(_ x: Self) -> Self
    /// The hyperbolic tangent.
    static func tanh(_ x: Self) -> Self

    /// target ← target + source, `count` numbers.
    static func add(_ source: UnsafePointer<Self>, to target: UnsafeMutablePointer<Self>, count: Int)

    /// The way back from a maximum, one of the inputs at a time: where x = maximum, e ← e + rest and rest ← 0. What is
    /// left of the output gradient goes to the first input that reaches the maximum.
    static func giveToMaximum(
        _ inputs: UnsafePointer<Self>, _ maxima: UnsafePointer<Self>, _ count: Int, _ rest: UnsafeMutablePointer<Self>,
        _ gradients: UnsafeMutablePointer<Self>)

    /// outputs = exp(inputs − offset), for inputs up to `offset`: numbers of at most 1. Returns their sum.
    static func exponentials(
        of inputs: UnsafePointer<Self>, minus offset: Self, _ count: Int, into outputs: UnsafeMutablePointer<Self>
    ) -> Self

    /// Σ values, in an order that depends on `count` alone.
    static func sum(_ values: UnsafePointer<Self>, _ count: Int) -> Self

    /// Each row of values becomes the softmax of scale · values + mask; a row of nothing but −∞ becomes zeros.
    static func softmax(_ values: UnsafeMutablePointer<Self>, scale: Self, mask: UnsafePointer<Self>, _ rows: Rows)

    /// gradients = scale · p ∘ (gradients − Σ p ∘ gradients), row by row.
    static func softmaxBackward(
        _ gradients: UnsafeMutablePointer<Self>, probabilities: UnsafePointer<Self>, scale: Self, _ rows: Rows)

    /// outputs = x̂ ∘ gain + bias, row by row; see ``RowNormalization``.
    static func normalize(
        _ inputs: UnsafePointer<Self>, by normalization: RowNormalization, gain: UnsafePointer<Self>,
        bias: UnsafePointer<Self>, _ rows: Rows, into outputs: UnsafeMutablePointer<Self>)

    /// The gradients of the inputs, and gainGradient = gainGradient + Σ x̂ ∘ gradients, row after row.
    static func normalizeBackward(
        _ inputs: UnsafePointer<Self>, by normalization: RowNormalization, gain: UnsafePointer<Self>,
        outputGradients: UnsafePointer<Self>, _ rows: Rows, into inputGradients: UnsafeMutablePointer<Self>,
        gainGradient: UnsafeMutablePointer<Self>)

    /// C = A·B on all threads, or on the calling one: `rows` × `columns` numbers, row after row without gaps.
    ///
    /// **Guarantee:** a row of C is a function of one row of A, and of B, alone, in every bit: each element is the
    /// chain s ← s + a_ik·b_kj over k = 0, 1, … whatever the number of rows and threads is.
    ///
    /// - `inner`: the length of the sums.
    /// - `finish`: called with rows and columns of C that the calling thread has just computed.
    static func multiply(
        rows: Int, columns: Int, inner: Int, _ a: Strided<Self>, _ b: Strided<Self>,
        into c: UnsafeMutablePointer<Self>, onThisThread: Bool, finish: (Range<Int>, Range<Int>) -> Void)
}

/// A matrix as it lies in memory: element (i, k) is `rowStep`·i + `columnStep`·k numbers after the first.
public struct Strided<Scalar: Real> {
    let base: UnsafePointer<Scalar>
    let rowStep: Int
    let columnStep: Int

    /// A row-major matrix whose rows begin `stride` numbers after each other.
    public init(_ base: UnsafePointer<Scalar>, stride: Int) {
        self.init(base: base, rowStep: stride, columnStep: 1)
    }

    private init(base: UnsafePointer<Scalar>, rowStep: Int, columnStep: Int) {
        (self.base, self.rowStep, self.columnStep) = (base, rowStep, columnStep)
    }

    /// The same numbers, with rows and columns exchanged.
    public var transposed: Strided { Strided(base: base, rowStep: columnStep, columnStep: rowStep) }
}

// Inside of the types the static functions hide those of the C library.
private func expOf(_ x: Double) -> Double { exp(x) }
private func logOf(_ x: Double) -> Double { log(x) }
private func log1pOf(_ x: Double) -> Double { log1p(x) }
private func tanhOf(_ x: Double) -> Double { tanh(x) }

extension Float: Real {
    /// eˣ.
    public static func exp(_ x: Float) -> Float { expf(x) }
    /// ln x.
    public static func log(_ x: Float) -> Float { logf(x) }
    /// ln(1 + x).
    public static func log1p(_ x: Float) -> Float { log1pf(x) }
    /// The hyperbolic tangent.
    public static func tanh(_ x: Float) -> Float { tanhf(x) }

    /// target ← target + source.
    public static func add(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int) {
        for index in 0..<count { target[index] += source[index] }
    }

    /// The kernel of pooling.
    public static func giveToMaximum(
        _ inputs: UnsafePointer<Float>, _ maxima: UnsafePointer<Float>, _ count: Int,
        _ rest: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>
    ) {
        Activation.kernels.give_to_maximum(inputs, maxima, count, rest, gradients)
    }

    /// C = A·B by the kernels of `RowwiseProduct`.
    public static func multiply(
        rows: Int, columns: Int, inner: Int, _ a: Strided<Float>, _ b: Strided<Float>,
        into c: UnsafeMutablePointer<Float>, onThisThread: Bool, finish: (Range<Int>, Range<Int>) -> Void
    ) {
        if onThisThread {
            RowwiseProduct.multiplyOnThisThread(
                rows: rows, columns: columns, inner: inner, a.matrix, b.matrix, into: c)
            finish(0..<rows, 0..<columns)
        } else {
            RowwiseProduct.multiply(
                rows: rows, columns: columns, inner: inner, a.matrix, b.matrix, into: c, finish: finish)
        }
    }
}

extension Strided<Float> {
    fileprivate var matrix: StridedMatrix {
        columnStep == 1 ? StridedMatrix(base, stride: rowStep) : StridedMatrix(base, stride: columnStep).transposed
    }
}

extension Double: Real {
    /// eˣ.
    public static func exp(_ x: Double) -> Double { expOf(x) }
    /// ln x.
    public static func log(_ x: Double) -> Double { logOf(x) }
    /// ln(1 + x).
    public static func log1p(_ x: Double) -> Double { log1pOf(x) }
    /// The hyperbolic tangent.
    public static func tanh(_ x: Double) -> Double { tanhOf(x) }

    /// target ← target + source.
    public static func add(_ source: UnsafePointer<Double>, to target: UnsafeMutablePointer<Double>, count: Int) {
        for index in 0..<count { target[index] += source[index] }
    }

    /// The same, element by element.
    public static func giveToMaximum(
        _ inputs: UnsafePointer<Double>, _ maxima: UnsafePointer<Double>, _ count: Int,
        _ rest: UnsafeMutablePointer<Double>, _ gradients: UnsafeMutablePointer<Double>
    ) {
        for index in 0..<count where inputs[index] == maxima[index] {
            gradients[index] += rest[index]
            rest[index] = 0
        }
    }

    /// C = A·B, element by element: for checks, where speed does not matter.
    public static func multiply(
        rows: Int, columns: Int, inner: Int, _ a: Strided<Double>, _ b: Strided<Double>,
        into c: UnsafeMutablePointer<Double>, onThisThread: Bool, finish: (Range<Int>, Range<Int>) -> Void
    ) {
        for row in 0..<rows {
            for column in 0..<columns {
                var sum = 0.0
                for index in 0..<inner {
                    let left = a.base[row * a.rowStep + index * a.columnStep]
                    sum += left * b.base[index * b.rowStep + column * b.columnStep]
                }
                c[row * columns + column] = sum
            }
        }
        finish(0..<rows, 0..<columns)
    }
}

extension Real {
    /// C = A·B on all threads.
    public static func multiply(
        rows: Int, columns: Int, inner: Int, _ a: Strided<Self>, _ b: Strided<Self>,
        into c: UnsafeMutablePointer<Self>, finish: (Range<Int>, Range<Int>) -> Void = { _, _ in }
    ) {
        multiply(
            rows: rows, columns: columns, inner: inner, a, b, into: c, onThisThread: false, finish: finish)
    }

    /// C = A·B on the calling thread, for threads that share many small products among them.
    public static func multiplyOnThisThread(
        rows: Int, columns: Int, inner: Int, _ a: Strided<Self>, _ b: Strided<Self>,
        into c: UnsafeMutablePointer<Self>
    ) {
        multiply(rows: rows, columns: columns, inner: inner, a, b, into: c, onThisThread: true) { _, _ in }
    }
}
