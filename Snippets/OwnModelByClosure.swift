// A model of your own with a loss of your own: a closure over one example, from which gradients are made.
//
// A line is fitted under the loss √(1 + d²) − 1, in which large deviations d weigh less than in d². The
// closure is written for one example, and called once: what it computes is recorded, and runs on blocks of examples.

import PrivateTraining

struct Line: PyTree {
    var slope = Tensor(zeros: [1, 1])
    var offset = Tensor(zeros: [1])

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("slope", &slope)
        try visitor.visit("offset", &offset)
    }
}

let model = FunctionModel(parameters: Line(), featureCount: 1) { line, example in
    let prediction = example.features.dense(kernel: line.slope, bias: line.offset)
    let deviation = prediction - example.target
    let loss = (deviation.squared() + 1).squareRoot() + -1
    return Loss(loss.sum(over: .all), outputs: prediction, readAs: .squaredError)
}

// One target in twenty is far off.
let inputs = (0..<2_000).map { _ in Float.random(in: -1...1) }
let targets = inputs.map { 2 * $0 + 0.5 + (Int.random(in: 0..<20) == 0 ? 30 : Float.random(in: -0.1...0.1)) }
let data = InMemoryDataset(inputs: inputs.map { [$0] }, targets: targets)

let plan = try PrivacyPlan(
    exampleCount: data.count, expectedBatchSize: 200, epochs: 20, clipping: .flat(l2ClipNorm: 1), budget: .epsilon(2),
    delta: 1e-6)
let line = try Trainer(plan: plan, model: model, optimizer: adam(learningRate: 0.05)).fit(data).parameters
print("slope \(line.slope.values[0]), offset \(line.offset.values[0])")  // near 2 and 0.5
// snippet.hide
precondition(abs(line.slope.values[0] - 2) < 0.5 && abs(line.offset.values[0] - 0.5) < 0.5)
