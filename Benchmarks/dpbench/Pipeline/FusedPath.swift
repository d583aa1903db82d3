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

    let noise: NoiseScheme

    /// - Parameter noise: its kind decides how the sum is taken.
    init(problem: PipelineProblem, noise: NoiseScheme = .discreteGaussian) throws {
        self.problem = problem
        self.noise = noise
        rows = try DenseRows(problem.gradients, layout: problem.layout)
        clipping = try .flat(l2ClipNorm: problem.l2ClipNorm)
    }

    func privateGradient(noiseMultiplier: Double, noise: inout Noise) throws -> ParameterVector {
        if let scale = problem.scale {
            try aggregate(DiagonalTransform(scale: scale), noiseMultiplier).privatized(noise: &noise).vector
        } else {
            try aggregate(IdentityTransform(layout: problem.layout), noiseMultiplier).privatized(noise: &noise).vector
        }
    }

    /// What the noise would be added to, taken back to the space of the parameters.
    func nonPrivateGradient(noiseMultiplier: Double) throws -> [Float] {
        guard let scale = problem.scale else {
            return try aggregate(IdentityTransform(layout: problem.layout), noiseMultiplier).nonPrivateSum().values
        }
        let sum = try aggregate(DiagonalTransform(scale: scale), noiseMultiplier).nonPrivateSum()
        return zip(sum.values, scale.values).map { $0 / $1 }
    }

    private func aggregate<Transform: PreClippingTransform>(
        _ transform: Transform, _ noiseMultiplier: Double
    ) throws -> ClippedAggregate<Transform> {
        var aggregate = try ClippedAggregate(
            clipping, transform: transform, noise: noise, noiseMultiplier: noiseMultiplier, workspace: workspace)
        aggregate.add(rows)
        return aggregate
    }
}
