import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

/// Transforms of one's own over any base.
@Suite struct PreClippingTests {
    private let problem = LeastSquares(examples: 24, inputs: 5, outputs: 3)

    private var scale: ParameterVector {
        var scale = ParameterVector(zeros: problem.layout)
        scale.withUnsafeMutableValues { for index in $0.indices { $0[index] = 0.1 + Float(index % 7) } }
        return scale
    }

    /// The updates of a first step, without noise.
    private func updates<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, l2ClipNorm: Double
    ) throws -> [Double] {
        var parameters = ParameterVector(zeros: problem.layout)
        var state = try optimizer.initialState(for: parameters)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 1)
        var workspace = StepWorkspace()
        try optimizer.privateStep(
            on: problem.gradients(at: parameters), state: &state, parameters: &parameters,
            clipping: .flat(l2ClipNorm: l2ClipNorm, normalizeBy: 24), noiseMultiplier: 0, noise: &noise,
            workspace: &workspace)
        return parameters.values.map(Double.init)
    }

    private func distance(_ x: [Double], _ y: [Double]) -> Double {
        zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }

    /// −lr · Σ clip(s ∘ g_i) ⊘ s / N, as the definition says, in Float64.
    private func expected(l2ClipNorm: Double) -> [Double] {
        let rows = problem.gradients(at: ParameterVector(zeros: problem.layout))
        let scale = scale.values.map(Double.init)
        var sum = [Double](repeating: 0, count: scale.count)
        for example in 0..<24 {
            var row = [Float](repeating: 0, count: scale.count)
            var span = row.mutableSpan
            rows.copyGradient(of: example, into: &span)
            let scaled = zip(row, scale).map { Double($0) * $1 }
            let factor = min(1, l2ClipNorm / scaled.reduce(0) { $0 + $1 * $1 }.squareRoot())
            for index in sum.indices { sum[index] += factor * scaled[index] / scale[index] }
        }
        return sum.map { -0.1 * $0 / 24 }
    }

    @Test func aPublicScaleOverSGDIsTheDefinition() throws {
        let optimizer = try PreClipping(sgd(learningRate: 0.1), scale: scale)
        for clipNorm in [0.5, 5, .infinity] {
            let found = try updates(optimizer, l2ClipNorm: clipNorm)
            let exact = expected(l2ClipNorm: clipNorm)
            // A handful of roundings of each element, and the clip factor's margin of 2⁻²².
            #expect(distance(found, exact) <= 16 * 0x1p-22 * distance(exact, exact.map { _ in 0 }))
        }
        // The controls: without the scale, and with a scale that is not undone, clipped sums are others.
        let plain = try updates(IdentityAugmented(sgd(learningRate: 0.1)), l2ClipNorm: 0.5)
        #expect(distance(plain, expected(l2ClipNorm: 0.5)) > 1e-3)
        let undone = zip(expected(l2ClipNorm: 0.5), scale.values).map { $0 * Double($1) }
        #expect(distance(undone, expected(l2ClipNorm: 0.5)) > 1e-3)
    }

    @Test func aScaleFromTheStateIsThatOfTheStepBefore() throws {
        let base = try adam(learningRate: 0.05)
        let own = PreClipping(base) { state, layout throws(PrivacyMechanismError) in
            var scale = ParameterVector(zeros: layout)
            let moment = state.first.secondMoment.values
            scale.withUnsafeMutableValues { scale in
                for index in scale.indices { scale[index] = 1 / (moment[index].squareRoot() + 1e-2) }
            }
            return try DiagonalTransform(scale: scale)
        }
        let known = try ScaleThenPrivatize(base, epsilon: 1e-2)
        #expect(
            try problem.loss(after: 5, of: own, l2ClipNorm: 2, noiseMultiplier: 0.3)
                == problem.loss(after: 5, of: known, l2ClipNorm: 2, noiseMultiplier: 0.3))
        #expect(
            try problem.loss(after: 5, of: own, l2ClipNorm: 2, noiseMultiplier: 0.3)
                != problem.loss(after: 5, of: IdentityAugmented(base), l2ClipNorm: 2, noiseMultiplier: 0.3))
    }

    @Test func aRandomProjectionStepsInItsSpan() throws {
        let projection = LinearProjection(problem.layout, dimensions: 4, seed: 1)
        let found = try updates(PreClipping(sgd(learningRate: 0.1), transform: projection), l2ClipNorm: 3)
        func residual(_ vector: [Double]) throws -> Double {
            let values = vector.map { Float($0) }
            var image = ParameterVector(zeros: projection.transformedLayout)
            image.withMutableSpan { projection.transform(values.span, into: &$0) }
            return distance(projection.inverse(image).values.map(Double.init), vector)
        }
        let norm = distance(found, found.map { _ in 0 })
        #expect(norm > 0)
        #expect(try residual(found) < 1e-5 * norm)
        // The control: a step that is not projected leaves the span.
        let plain = try updates(IdentityAugmented(sgd(learningRate: 0.1)), l2ClipNorm: 3)
        #expect(try residual(plain) > 0.1 * distance(plain, plain.map { _ in 0 }))
    }

    @Test func scalesThatCannotBeInvertedAreRefused() throws {
        #expect(throws: PrivacyMechanismError.self) {
            try PreClipping(sgd(learningRate: 0.1), scale: ParameterVector(zeros: problem.layout))
        }
    }

    @Test func shapesThatDoNotFitTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = LinearProjection(try TreeLayout([("a", [5])]), basis: Matrix(rows: 4, columns: 2))
        }
        await #expect(processExitsWith: .failure) {
            _ = LinearProjection(try TreeLayout([("a", [5])]), dimensions: 6, seed: 1)
        }
    }
}
