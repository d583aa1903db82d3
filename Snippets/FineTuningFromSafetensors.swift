// Fine-tuning: weights are read from a safetensors file, one layer is frozen, and the other one is trained privately.
//
// Frozen layers take no part in clip norms and noise. `read` takes this package's names and PyTorch's.

import Foundation
import PrivateTraining

let network = try Network(.multilayerPerceptron(dims: [64, 32, 10], activation: .tanh))
let (digits, test) = Digits.split
let (publicDigits, privateDigits) = (digits.prefix(400), digits.suffix(digits.count - 400))
let path = FileManager.default.temporaryDirectory.appending(path: "public-\(UUID().uuidString).safetensors").path
// snippet.hide
defer { try? FileManager.default.removeItem(atPath: path) }
// snippet.show

// Without noise: fit for public data alone.
let withoutPrivacy = try PrivacyPlan(
    exampleCount: publicDigits.count, expectedBatchSize: 100, epochs: 20, clipping: .flat(l2ClipNorm: .infinity),
    budget: .noiseMultiplier(0), delta: 0)
let publicModel = try Trainer(plan: withoutPrivacy, model: network, optimizer: adam(learningRate: 0.01))
try SafeTensors.write(try publicModel.fit(publicDigits).parameters, to: path)

// snippet.tuning
let start = try network.read(path)
let model = try network.freezing(["dense1"], of: start)
let plan = try PrivacyPlan(
    exampleCount: privateDigits.count, expectedBatchSize: 200, epochs: 20, clipping: .flat(l2ClipNorm: 1),
    budget: .epsilon(1), delta: 1e-5)
let outcome = try Trainer(plan: plan, model: model, optimizer: adam(learningRate: 0.02)).fit(privateDigits)
let tuned = model.whole(outcome.parameters)
// snippet.end
print("before:", try network.evaluate(on: test, at: start))
print("after:", try network.evaluate(on: test, at: tuned))
print(outcome.report.notCovered.joined(separator: "\n"))
// snippet.hide
precondition(tuned["dense1/kernel"] == start["dense1/kernel"] && tuned["dense2/kernel"] != start["dense2/kernel"])
