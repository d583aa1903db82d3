import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

@Suite struct PrivateStepTests {
    let problem = LeastSquares(examples: 24, inputs: 6, outputs: 5)

    func run<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, steps: Int = 5, l2ClipNorm: Double, noiseMultiplier: Double = 0, microbatch: Int? = nil
    ) throws -> ParameterVector {
        var parameters = ParameterVector(zeros: problem.layout)
        var state = try optimizer.initialState(for: parameters)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 3)
        var workspace = StepWorkspace()
        let clipping = try ClippingRule.flat(l2ClipNorm: l2ClipNorm, normalizeBy: 24)
        for _ in 0..<steps {
            let rows = problem.gradients(at: parameters)
            if let microbatch {
                try optimizer.privateStep(
                    state: &state, parameters: &parameters, clipping: clipping, noiseMultiplier: noiseMultiplier,
                    noise: &noise, workspace: &workspace
                ) { _, batch in
                    for begin in stride(from: 0, to: 24, by: microbatch) {
                        let others = (0..<24).map { !(begin..<begin + microbatch).contains($0) }
                        batch.add(rows, padding: others)
                    }
                }
            } else {
                try optimizer.privateStep(
                    on: rows, state: &state, parameters: &parameters, clipping: clipping,
                    noiseMultiplier: noiseMultiplier, noise: &noise, workspace: &workspace)
            }
        }
        return parameters
    }

    func distance(_ left: ParameterVector, _ right: ParameterVector) -> Float {
        zip(left.values, right.values).map { abs($0 - $1) }.max()!
    }

    /// Rounding only: the scale is multiplied in and divided out, 2 ulps of each gradient; five steps of 0.05.
    @Test func withoutClippingAndNoiseAugmentedTrainingEqualsTheBases() throws {
        let base = try adam(learningRate: 0.05)
        let plain = try run(IdentityAugmented(base), l2ClipNorm: .infinity)
        let scaled = try run(ScaleThenPrivatize(base, epsilon: 1e-2), l2ClipNorm: .infinity)
        #expect(distance(plain, scaled) < 0.05 * 5 * 0x1p-18)
        let clipped = try run(ScaleThenPrivatize(base, epsilon: 1e-2), l2ClipNorm: 1)
        #expect(distance(plain, clipped) > 1e-3)
    }

    @Test func wrongPairingIsSeen() throws {
        // The inverse of a scale that the gradient never had: what the type system keeps from being written.
        let optimizer = try ScaleThenPrivatize(adagrad(learningRate: 0.05), epsilon: 1e-2)
        var parameters = ParameterVector(zeros: problem.layout)
        var state = try optimizer.initialState(for: parameters)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 3)
        for _ in 0..<5 {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: .infinity, normalizeBy: 24), transform: IdentityTransform(layout: problem.layout),
                noiseMultiplier: 0)
            aggregate.add(problem.gradients(at: parameters))
            try optimizer.step(
                onTransformed: aggregate.noised(noise: &noise).vector, state: &state,
                parameters: &parameters)
        }
        #expect(distance(parameters, try run(optimizer, l2ClipNorm: .infinity)) > 1e-3)
    }

    @Test func microbatchesDoNotShow() throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.05), epsilon: 1e-2)
        let whole = try run(optimizer, l2ClipNorm: 2, noiseMultiplier: 0.5)
        #expect(try run(optimizer, l2ClipNorm: 2, noiseMultiplier: 0.5, microbatch: 8) == whole)
        #expect(try run(optimizer, l2ClipNorm: 2, noiseMultiplier: 0.6, microbatch: 8) != whole)
    }

    @Test func failureLeavesEverythingAsItWas() throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.05), epsilon: 1e-2)
        var parameters = ParameterVector(repeating: 1, layout: problem.layout)
        var state = try optimizer.initialState(for: parameters)
        let before = (parameters, state)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 3)
        var workspace = StepWorkspace()
        let rows = problem.gradients(at: parameters)
        let clipping = try ClippingRule.flat(l2ClipNorm: .infinity)
        #expect(throws: PrivacyMechanismError.unboundedSensitivity(noiseMultiplier: 1)) {
            try optimizer.privateStep(
                on: rows, state: &state, parameters: &parameters, clipping: clipping, noiseMultiplier: 1,
                noise: &noise, workspace: &workspace)
        }
        #expect(parameters == before.0 && state == before.1)
        try optimizer.privateStep(
            on: rows, state: &state, parameters: &parameters, clipping: clipping, noiseMultiplier: 0, noise: &noise,
            workspace: &workspace)
        #expect(parameters != before.0 && state != before.1)
    }

    @Test func emptyBatchIsNoised() throws {
        let optimizer = IdentityAugmented(try sgd(learningRate: 1))
        var parameters = ParameterVector(zeros: problem.layout)
        var state = try optimizer.initialState(for: parameters)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 3)
        var workspace = StepWorkspace()
        try optimizer.privateStep(
            state: &state, parameters: &parameters, clipping: .flat(l2ClipNorm: 1), noiseMultiplier: 1, noise: &noise,
            workspace: &workspace
        ) { _, _ in }
        #expect(parameters.values.allSatisfy { $0 != 0 })
    }

    /// Where the vectors of a state lie: equal from step to step if and only if none is allocated anew.
    @Test func vectorsStayInPlace() throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.05), epsilon: 1e-2)
        var parameters = ParameterVector(zeros: problem.layout)
        var state = try optimizer.initialState(for: parameters)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 3)
        var workspace = StepWorkspace()
        let rows = problem.gradients(at: parameters)
        let clipping = try ClippingRule.flat(l2ClipNorm: 1)
        func step() throws {
            try optimizer.privateStep(
                on: rows, state: &state, parameters: &parameters, clipping: clipping, noiseMultiplier: 1,
                noise: &noise, workspace: &workspace)
        }
        func addresses() -> [UnsafePointer<Float>?] {
            [parameters, state.scale, state.base.first.firstMoment, state.base.first.secondMoment].map {
                $0.withUnsafeValues { $0.baseAddress }
            }
        }
        try step()
        let first = addresses()
        for _ in 0..<3 { try step() }
        #expect(addresses() == first)
        // Somebody who keeps the transform makes the next scale a copy, which the addresses show.
        let kept = try optimizer.preClippingTransform(for: state, layout: problem.layout)
        try step()
        #expect(addresses() != first)
        #expect(kept.scale != state.scale)
    }

    @Test func privateTrainingLearns() throws {
        let start = problem.loss(at: ParameterVector(zeros: problem.layout))
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: 1e-1, warmUpSteps: 2)
        let trained = try problem.loss(after: 150, of: optimizer, l2ClipNorm: 20, noiseMultiplier: 0.05)
        #expect(trained < 0.05 * start)
        // A clip norm that leaves a hundredth of the noise for the gradients: a random walk.
        let drowned = try problem.loss(after: 150, of: optimizer, l2ClipNorm: 0.01, noiseMultiplier: 2000)
        #expect(drowned > 0.5 * start)
    }

    @Test func anOrdinaryOptimizerIsAugmentedWithTheIdentity() throws {
        let optimizer = try adam(learningRate: 0.05)
        let clipping = try ClippingRule.flat(l2ClipNorm: 2, normalizeBy: 24)
        var plain = ParameterVector(zeros: problem.layout)
        var augmented = plain
        var (state, other) = (try optimizer.initialState(for: plain), try optimizer.initialState(for: plain))
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 3)
        var same = Noise(.discreteGaussian, nonPrivateSeed: 3)
        var workspace = StepWorkspace()
        for _ in 0..<3 {
            try optimizer.privateStep(
                on: problem.gradients(at: plain), state: &state, parameters: &plain, clipping: clipping,
                noiseMultiplier: 0.5, noise: &noise, workspace: &workspace)
            try IdentityAugmented(optimizer).privateStep(
                on: problem.gradients(at: augmented), state: &other, parameters: &augmented, clipping: clipping,
                noiseMultiplier: 0.5, noise: &same, workspace: &workspace)
        }
        #expect(plain == augmented)
        #expect(plain != ParameterVector(zeros: problem.layout))
    }
}
