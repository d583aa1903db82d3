// A model for Python: a safetensors file with PyTorch's names and shapes, or with this package's.
//
//     from safetensors.torch import load_file
//     from torch import nn
//
//     model = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
//     model.load_state_dict(load_file("model.safetensors"))
//
// With this package's names, and NumPy:
//
//     from safetensors.numpy import load_file
//     import numpy as np
//
//     leaves = load_file("leaves.safetensors")
//     hidden = np.tanh(x @ leaves["dense1.kernel"] + leaves["dense1.bias"])
//     scores = hidden @ leaves["dense2.kernel"] + leaves["dense2.bias"]

import Foundation
import PrivateTraining

let folder = FileManager.default.temporaryDirectory.appending(path: "for-python-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
// snippet.hide
defer { try? FileManager.default.removeItem(at: folder) }
// snippet.show
let training = Digits.split.train
let plan = try PrivacyPlan(
    exampleCount: training.count, expectedBatchSize: 250, epochs: 10, clipping: .flat(l2ClipNorm: 1),
    budget: .epsilon(4), delta: 1e-5)
let network = try Network(.multilayerPerceptron(dims: [64, 32, 10], activation: .tanh))
let outcome = try Trainer(plan: plan, model: network, optimizer: adam(learningRate: 0.02)).fit(training)

try network.writePyTorch(outcome.parameters, to: folder.appending(path: "model.safetensors").path)
try SafeTensors.write(
    outcome.parameters, metadata: ["epsilon": "\(try plan.epsilon())", "delta": "\(plan.delta)"],
    to: folder.appending(path: "leaves.safetensors").path)

for name in ["model", "leaves"] {
    let tensors = try SafeTensors.readTensors(folder.appending(path: "\(name).safetensors").path)
    print(name, tensors.mapValues(\.shape))
}
// snippet.hide
let read = try network.read(folder.appending(path: "model.safetensors").path)
precondition(read == outcome.parameters)
