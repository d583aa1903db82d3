import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// Whether the paths compute the same sum, before anybody times them.
///
/// An error is measured against Σ_i |c_ij|, the sum of what the examples contribute to a coordinate in absolute value:
/// that is what a bound on the rounding of a sum is relative to.
struct Agreement {
    /// The largest relative error of each path, in the order they were given.
    let maxRelativeErrors: [Double]

    /// Throws `BenchmarkError.pathsDisagree` if a path errs by more than Float32 arithmetic, or the grid of exact sums,
    /// can explain.
    init(_ problem: PipelineProblem, paths: [(name: String, sum: [Float], isOnGrid: Bool)]) throws {
        let (exact, absolute) = Self.exactSum(problem)
        let bound = Self.bound(examples: problem.gradients.rows, parameters: problem.layout.count)
        let (lost, unit) = Self.gridBound(problem)
        maxRelativeErrors = try paths.map { name, sum, isOnGrid in
            var worst = 0.0
            for index in exact.indices {
                let error = abs(Double(sum[index]) - exact[index])
                if error == 0 { continue }
                let relative = error / absolute[index]
                let scale = Double(problem.scale?.values[index] ?? 1)
                let rounding = isOnGrid ? lost + unit / scale / absolute[index] : 0
                // Not "relative > …": that would let NaN pass.
                guard relative <= bound + rounding else {
                    throw BenchmarkError.pathsDisagree(
                        path: name, parameter: index, found: sum[index], exact: exact[index])
                }
                worst = max(worst, relative)
            }
            return worst
        }
    }

    /// A Float32 sum of B terms errs by at most B half-ulps, each product and quotient by one; a Float32 norm over P
    /// squares, added up in sixteen lanes at least, by P/16 half-ulps, its root by half of that.
    static func bound(examples: Int, parameters: Int) -> Double {
        (Double(examples) + Double(parameters) / 32 + 16) * 0x1p-24 + 0x1p-22
    }

    /// What the grid adds, if noise allows it M = 2²² at least: the clip norm is less by half a unit a column, and each
    /// example is rounded by half a unit, C/M, in each column of the transformed space.
    private static func gridBound(_ problem: PipelineProblem) -> (lost: Double, unit: Double) {
        let lost = Double(problem.layout.count).squareRoot() * 0x1p-23 + 0x1p-20
        return (lost, Double(problem.gradients.rows) * problem.l2ClipNorm * 0x1p-23)
    }

    private static func exactSum(_ problem: PipelineProblem) -> (sum: [Double], absolute: [Double]) {
        var sum = [Double](repeating: 0, count: problem.layout.count)
        var absolute = sum
        for example in 0..<problem.gradients.rows {
            problem.gradients.withRow(example) { row in
                row.withUnsafeBufferPointer { row in
                    var square = 0.0
                    if let scale = problem.scale?.values {
                        for index in row.indices {
                            let value = Double(scale[index]) * Double(row[index])
                            square += value * value
                        }
                    } else {
                        for value in row { square += Double(value) * Double(value) }
                    }
                    if !square.isFinite { return }
                    let factor = square == 0 ? 1 : min(1, problem.l2ClipNorm / square.squareRoot())
                    for index in row.indices {
                        sum[index] += factor * Double(row[index])
                        absolute[index] += abs(factor * Double(row[index]))
                    }
                }
            }
        }
        return (sum, absolute)
    }
}

/// What stops a benchmark.
enum BenchmarkError: Error, Equatable, CustomStringConvertible {
    /// Two paths that should compute the same did not.
    case pathsDisagree(path: String, parameter: Int, found: Float, exact: Double)
    /// The matrix, and the copy that the BLAS path makes of it, need more memory than there is.
    case notEnoughMemory(needed: Int, available: Int)
    /// A matrix of gradients has no elements.
    case nothingToMeasure(path: String, shape: [Int])

    var description: String {
        switch self {
        case .pathsDisagree(let path, let parameter, let found, let exact):
            "The \(path) path gives \(found) for parameter \(parameter), where the exact sum is \(exact): "
                + "no speeds are shown for wrong results."
        case .notEnoughMemory(let needed, let available):
            "The matrix and its scaled copy need \(needed >> 20) MiB, but \(available >> 20) MiB are free: "
                + "use fewer examples or parameters."
        case .nothingToMeasure(let path, let shape):
            "'\(path)' has the shape \(shape): there is nothing to measure."
        }
    }
}
