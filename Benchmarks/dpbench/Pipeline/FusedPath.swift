import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// The library's own path: one trip of the matrix through memory.
struct FusedPath {
    let problem: PipelineProblem
    let rows: DenseRows
    let clipping: ClippingRule
    let workspace = GradientWorkspace()
    /// Reused from step to step, as in training.
    var gradient: ParameterVector

    init(problem: PipelineProblem) throws {
        self.problem = problem
        gradient = ParameterVector(zeros: problem.layout)
        rows = try DenseRows(problem.gradients, layout: problem.layout)
        clipping = try .flat(l2ClipNorm: problem.l2ClipNorm)
    }

    mutating func privateGradient(noiseMultiplier: Double, noise: inout GaussianNoise) throws -> ParameterVector {
        if let scale = problem.scale {
            try run(DiagonalTransform(scale: scale), noiseMultiplier, &noise)
        } else {
            try run(IdentityTransform(layout: problem.layout), noiseMultiplier, &noise)
        }
        return gradient
    }

    private mutating func run(
        _ transform: some PreClippingTransform, _ noiseMultiplier: Double, _ noise: inout GaussianNoise
    ) throws {
        var aggregate = try ClippedAggregate(clipping, transform: transform, workspace: workspace)
        aggregate.add(rows)
        try aggregate.privatize(noiseMultiplier: noiseMultiplier, noise: &noise, into: &gradient)
    }
}
