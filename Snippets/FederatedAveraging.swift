// Federated averaging: each user trains on their own data for a while, and sends the difference as one row.
//
// Rows are clipped, summed and noised as gradients are. Source: arXiv 1710.06963.

import PrivateTraining

// What each user has: some points near a line that is nearly the same for all.
let users = (0..<500).map { _ in
    let offset = Float.random(in: 0.3...0.7)
    return (0..<Int.random(in: 4...12)).map { _ in
        let x = Float.random(in: -1...1)
        return (x: x, y: 2 * x + offset)
    }
}

/// What a user sends: where they began less where five passes over their own points led to, as a gradient points.
func difference(on points: [(x: Float, y: Float)], from start: ParameterVector) -> [Float] {
    var (slope, offset) = (start.values[0], start.values[1])
    for _ in 0..<5 {
        for (x, y) in points {
            let error = slope * x + offset - y
            slope -= 0.1 * error * x
            offset -= 0.1 * error
        }
    }
    return [start.values[0] - slope, start.values[1] - offset]
}

// User i owns row i, and nothing else.
let sampler = try UserSampler(owners: users.indices, samplingProbability: 0.2)
let plan = try PrivacyPlan(
    sampling: .user(sampler), iterations: 40, clipping: .flat(l2ClipNorm: 0.5), budget: .epsilon(4), delta: 1e-5,
    unit: .user)
let start = ParameterVector(zeros: try TreeLayout([("slope", []), ("offset", [])]))
// The server takes the mean of the differences as it is.
var run = try PrivateRun(plan, optimizer: sgd(learningRate: 1), parameters: start)
while !run.isFinished {
    try run.step { indices, parameters in
        let rows = indices.map { difference(on: users[$0], from: parameters) }
        return try DenseRows(Matrix(rows), layout: parameters.layout)
    }
}
print(run.parameters)  // near 2 and 0.5
print("ε = \(try run.epsilonSpent()) for each \(plan.unit)")
// snippet.hide
precondition(abs(run.parameters.values[0] - 2) < 0.5 && abs(run.parameters.values[1] - 0.5) < 0.5)
