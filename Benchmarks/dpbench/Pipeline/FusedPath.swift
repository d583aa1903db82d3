import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// The library's own path: one trip of the matrix through memory.
struct FusedPath {
    let problem: PipelineProblem
    let rows: DenseRows
    let clipping: ClippingRule
    /// Reused from step to step, as in training.
    let workspace = GradientWorkspace()

    init(problem: PipelineProblem) throws {
        self.problem = problem
        rows = try DenseRows(problem.gradients, layout: problem.layout)
        clipping = try .flat(l2ClipNorm: problem.l2ClipNorm)
    }

    func privateGradient(noiseMultiplier: Double, noise: inout Noise) throws -> ParameterVector {
        if let scale = problem.scale {
            try run(DiagonalTransform(scale: scale), noiseMultiplier, &noise)
        } else {
            try run(IdentityTransform(layout: problem.layout), noiseMultiplier, &noise)
        }
    }

    private func run(
        _ transform: some PreClippingTransform, _ noiseMultiplier: Double, _ noise: inout Noise
    ) throws -> ParameterVector {
        var aggregate = try ClippedAggregate(clipping, transform: transform, workspace: workspace)
        aggregate.add(rows)
        return try aggregate.privatized(noiseMultiplier: noiseMultiplier, noise: &noise).vector
    }
}
