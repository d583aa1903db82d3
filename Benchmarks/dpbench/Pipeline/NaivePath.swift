import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// The textbook: example by example, leaf by leaf, in plain Swift loops.
struct NaivePath {
    let problem: PipelineProblem

    func privateGradient(noiseMultiplier: Double, normals: inout GaussianNoise) -> [Float] {
        let count = problem.layout.count
        let scale = problem.scale?.values ?? [Float](repeating: 1, count: count)
        var sum = [Float](repeating: 0, count: count)
        for example in 0..<problem.gradients.rows {
            problem.gradients.withRow(example) { gradient in
                var transformed = [Float](repeating: 0, count: count)
                var square = 0.0
                for leaf in problem.layout.leaves {
                    for index in leaf.range {
                        transformed[index] = scale[index] * gradient[index]
                        square += Double(transformed[index]) * Double(transformed[index])
                    }
                }
                if !square.isFinite { return }
                let factor = Float(min(1, problem.l2ClipNorm / square.squareRoot()))
                for leaf in problem.layout.leaves {
                    for index in leaf.range { sum[index] += factor * transformed[index] }
                }
            }
        }
        return PathNoise.finish(
            sum, scale: scale, standardDeviation: Float(noiseMultiplier * problem.l2ClipNorm), normals: &normals)
    }
}

/// What the naive path and the BLAS path do after the sum: add noise, and take the transform back.
enum PathNoise {
    static func finish(
        _ sum: [Float], scale: [Float], standardDeviation: Float, normals: inout GaussianNoise
    ) -> [Float] {
        var result = sum
        if standardDeviation > 0 {
            var drawn = [Float](repeating: 0, count: sum.count)
            var span = drawn.mutableSpan
            normals.fill(&span)
            for index in result.indices { result[index] += standardDeviation * drawn[index] }
        }
        for index in result.indices { result[index] /= scale[index] }
        return result
    }
}
