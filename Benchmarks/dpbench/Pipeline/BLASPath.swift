import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// The plan as one would write it down: a scaled copy of the matrix, then batched BLAS calls over it.
struct BLASPath {
    let problem: PipelineProblem

    func privateGradient(noiseMultiplier: Double, normals: inout GaussianNoise) -> [Float] {
        let gradients = problem.gradients
        let count = problem.layout.count
        let scale = problem.scale?.values ?? [Float](repeating: 1, count: count)
        var scaled = Matrix(rows: gradients.rows, columns: count)
        var factors = [Float](repeating: 0, count: gradients.rows)
        scale.withUnsafeBufferPointer { scale in
            scaled.withUnsafeMutableElements { scaled in
                gradients.withUnsafeElements { gradients in
                    for example in factors.indices {
                        let begin = example * count
                        let row = UnsafeMutableBufferPointer(rebasing: scaled[begin..<begin + count])
                        // BLAS has no element-wise product; this loop is vectorised by the compiler.
                        for column in 0..<count { row[column] = scale[column] * gradients[begin + column] }
                        let square = BLAS.dot(UnsafeBufferPointer(row), UnsafeBufferPointer(row))
                        if !square.isFinite {
                            // Zero times NaN would be NaN: the row itself has to go.
                            row.update(repeating: 0)
                            continue
                        }
                        factors[example] = min(1, Float(problem.l2ClipNorm) / square.squareRoot())
                    }
                }
            }
        }
        var sum = [Float](repeating: 0, count: count)
        factors.withUnsafeBufferPointer { factors in
            sum.withUnsafeMutableBufferPointer { BLAS.gemv(scaled, .transposed, factors, into: $0) }
        }
        return PathNoise.finish(
            sum, scale: scale, standardDeviation: Float(noiseMultiplier * problem.l2ClipNorm), normals: &normals)
    }
}
