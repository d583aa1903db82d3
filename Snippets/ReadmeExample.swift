// A model of dense layers, trained on the digits that ship with the package: the README's first example.
//
// A plan says what is promised, a trainer keeps it. The report that comes back with the parameters is made to be shown.

import PrivateTraining

func trainOnDigits(seed: UInt64? = nil) throws -> TrainingOutcome<ParameterVector> {
    let (training, test) = Digits.split
    let plan = try PrivacyPlan(
        exampleCount: training.count, expectedBatchSize: 250, epochs: 40, clipping: .flat(l2ClipNorm: 1),
        budget: .epsilon(4), delta: 1e-5)
    let model = try Network(.multilayerPerceptron(dims: [64, 64, 10], activation: .tanh))
    let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.02))
    let trainer = try Trainer(
        plan: plan, model: model, optimizer: optimizer,
        options: TrainingOptions(averaging: .tail(fraction: 0.5), nonPrivateSeed: seed))
    let outcome = try trainer.fit(training, evaluatingOn: test)
    print(outcome.report.text)  // what is promised, to whom, and what is not
    return outcome  // .parameters, .evaluation, .report
}

// snippet.hide
let outcome = try trainOnDigits()
print(outcome)
// A model that learned nothing is right in a tenth of the cases.
precondition(outcome.evaluation!.accuracy! > 0.8)
precondition(outcome.report.guarantees[0].epsilon! <= 4)
