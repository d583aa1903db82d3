// Privacy for users who own several examples: the unit is the user, with everything that they own.
//
// Users are drawn, and each contributes the mean of some of their examples' gradients, which is clipped once. Nobody's
// examples are in training and test data at once.

import PrivateTraining

// Some 300 writers of six digits each, dealt at random.
let owners = (0..<Digits.count).map { $0 / 6 }.shuffled()
let (training, test, trainOwners) = Digits.all.split(testShare: 0.2, seed: 1, owners: owners)

let sampler = try UserSampler(owners: trainOwners, samplingProbability: 0.2, examplesPerUser: 4)
let plan = try PrivacyPlan(
    sampling: .user(sampler), iterations: 60, clipping: .flat(l2ClipNorm: 1), budget: .epsilon(8), delta: 1e-4,
    unit: .user)
let trainer = try Trainer(
    plan: plan, model: Network(.softmaxRegression(features: 64, classes: 10)), optimizer: adam(learningRate: 0.05))
let outcome = try trainer.fit(training, evaluatingOn: test)
print(outcome)
print("\(sampler.userCount) users, \(sampler.expectedBatchSize) in a step; the unit is the \(outcome.report.unit)")
// snippet.hide
precondition(outcome.evaluation!.accuracy! > 0.3 && outcome.report.unit == .user)
