// Noise that is correlated over steps, so that later steps take away part of it.
//
// The strategy is fitted to the plan's steps and to who takes part in them. The report says how much noise is left in
// prefix sums of gradients, and how much independent noise would be, for the same budget.

import PrivateTraining

let (training, test) = Digits.split
let plan = try PrivacyPlan(
    sampling: .ballsInBins(BallsInBinsSampler(exampleCount: training.count, bins: 10)), iterations: 60,
    clipping: .flat(l2ClipNorm: 1), budget: .epsilon(8), delta: 1e-5, noise: .correlated(.blt(buffers: 2)))
let trainer = try Trainer(
    plan: plan, model: Network(.softmaxRegression(features: 64, classes: 10)),
    optimizer: sgd(learningRate: 0.5, momentum: 0.9))
let outcome = try trainer.fit(training, evaluatingOn: test)
print(outcome)
if let strategy = outcome.report.strategy, let independent = strategy.independentError {
    print("\(strategy.kind): errors of \(strategy.predictedError) in prefix sums, of independent noise \(independent)")
}
// snippet.hide
precondition(outcome.report.strategy!.predictedError < outcome.report.strategy!.independentError!)
precondition(outcome.evaluation!.accuracy! > 0.5)
