// Training step by step, with gradients of your own: a `PrivateRun`.
//
// The run draws the batches, clips, adds the noise and counts the steps, all as its plan says. The closure writes the
// gradient of one example into a struct like the parameters; it is called on several threads at once.

import PrivateTraining

struct Line: PyTree {
    var slope: Float = 0
    var offset: Float = 0

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("slope", &slope)
        try visitor.visit("offset", &offset)
    }
}

let inputs = (0..<2_000).map { _ in Float.random(in: -1...1) }
let targets = inputs.map { 2 * $0 + 0.5 + Float.random(in: -0.1...0.1) }

let plan = try PrivacyPlan(
    exampleCount: inputs.count, expectedBatchSize: 200, epochs: 20, clipping: .flat(l2ClipNorm: 1),
    budget: .epsilon(2), delta: 1e-6)
var run = try PrivateRun(plan, optimizer: adam(learningRate: 0.05), parameters: Line())
while !run.isFinished {
    try run.step { index, line, gradient in
        let error = line.slope * inputs[index] + line.offset - targets[index]
        gradient.slope = error * inputs[index]
        gradient.offset = error
    }
    if run.stepsTaken.isMultiple(of: 50) {
        print("step \(run.stepsTaken): ε = \(try run.epsilonSpent()), \(run.parameters)")
    }
}
// snippet.hide
precondition(abs(run.parameters.slope - 2) < 0.5 && abs(run.parameters.offset - 0.5) < 0.5)
