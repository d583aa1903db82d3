// An attempt to refute a plan's ε: a run with canaries among the examples.
//
// Each canary is in or out by a fair coin. What can be learned of them from all that a run releases is a lower bound on
// ε, which the accountant's has to be above. What an audit trains is not a model to be published.

import PrivacyAuditing
import PrivateTraining

let data = Digits.split.train
let plan = try PrivacyPlan(
    exampleCount: data.count, expectedBatchSize: 100, epochs: 10, clipping: .flat(l2ClipNorm: 1), budget: .epsilon(4),
    delta: 1e-5)
let audit = try PrivacyAudit(plan, canaryCount: 300)
let scores = try audit.scores(
    of: Network(.softmaxRegression(features: 64, classes: 10)), on: data, optimizer: sgd(learningRate: 0.5))
let report = try AuditReport(audit, scores)
print("between \(report.bound.epsilon), as this run shows, and \(report.epsilon), as is proven")
print(report.survived ? "The claim survived, which proves nothing." : "The claim is refuted.")
// snippet.hide
precondition(report.survived && report.areaUnderCurve.value > 0.5)
