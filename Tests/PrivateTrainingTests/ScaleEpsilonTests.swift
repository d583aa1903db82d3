import PrivateTraining
import Testing

@Suite struct ScaleEpsilonTests {
    /// A third of the steps of the README's example. Guessing is right in 10 % of the cases.
    private func accuracy(_ optimizer: some AugmentedGradientTransformation) throws -> Double {
        let (training, test) = Digits.split
        let plan = try PrivacyPlan(
            exampleCount: training.count, expectedBatchSize: 250, epochs: 14, clipping: .flat(l2ClipNorm: 1),
            budget: .epsilon(4), delta: 1e-5)
        let model = try Network(.multilayerPerceptron(dims: [64, 64, 10], activation: .tanh))
        let trainer = try Trainer(
            plan: plan, model: model, optimizer: optimizer,
            options: TrainingOptions(averaging: .tail(fraction: 0.5), nonPrivateSeed: 3))
        return try #require(try trainer.fit(training, evaluatingOn: test).evaluation?.accuracy)
    }

    /// 0.7 lies between what the two reach.
    @Test func theDefaultTrainsWhereThePapersStalls() throws {
        let base = try adam(learningRate: 0.02)
        #expect(try accuracy(ScaleThenPrivatize(base)) > 0.7)
        #expect(try accuracy(ScaleThenPrivatize(base, epsilon: ScaleEpsilon.paper)) < 0.7)
    }
}
