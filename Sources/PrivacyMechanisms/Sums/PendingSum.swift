import LinearAlgebra

/// How sums are taken before noise: what a noise mechanism asks for.
package enum SumArithmetic: Sendable {
    /// Integers on a grid: ``SumGrid``.
    case exact
    /// Float64.
    case floatingPoint
}

/// The sum of an aggregate, before noise: read by nobody but the noise, in a type that cannot be copied.
enum PendingSum {
    case exact(GridSum, SumGrid)
    case floatingPoint(AlignedStorage<Double>)
}
