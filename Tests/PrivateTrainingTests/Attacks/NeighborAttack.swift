import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

@testable import Networks
@testable import PrivateTraining

/// Two neighbouring data sets that an adversary chose, and how well he tells them apart.
struct NeighborAttack<Model: TrainableModel<ParameterVector>> {
    let model: Model
    /// D, and D′ with one example more.
    let data: InMemoryDataset
    let neighbor: InMemoryDataset

    /// Σ clip(g_i) at the initial parameters, to clip norm 1 and without noise: what the adversary can compute himself.
    func clippedSum(of data: InMemoryDataset) throws -> [Double] {
        var workspace = model.makeWorkspace()
        let start = model.initialParameters(seed: 0)
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: model.layout), noiseMultiplier: 0)
        aggregate.add(model.gradients(of: data.examples, at: start, workspace: &workspace))
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 0)
        return try aggregate.privatized(noise: &noise).vector.values.map(Double.init)
    }

    /// How many clip norms the sum moves by: at most one, if an example's gradient is its own.
    func sensitivity() throws -> Double {
        let (before, after) = (try clippedSum(of: data), try clippedSum(of: neighbor))
        return zip(before, after).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }

    /// One step with all examples at noise multiplier `z`, `runs` times on either data set under keys of the operating
    /// system: in how many the published parameters, projected on the difference of the sums, say D′.
    ///
    /// If the step is ε-differentially private (δ is negligible here), a share a of hits and b of false alarms have a ≤
    /// e^ε b and 1 − b ≤ e^ε (1 − a), hence a − b ≤ tanh(ε/2).
    func hits(z: Double, runs: Int) throws -> (hits: Int, falseAlarms: Int) {
        let (before, after) = (try clippedSum(of: data), try clippedSum(of: neighbor))
        let direction = zip(before, after).map { $1 - $0 }
        let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let middle = zip(direction, zip(before, after)).reduce(0) { $0 + $1.0 * ($1.1.0 + $1.1.1) / 2 } / norm
        let start = model.initialParameters(seed: 0).values
        func says(_ dataset: InMemoryDataset) throws -> Bool {
            let published = try Trainer(
                plan: try plan(count: dataset.count, z: z), model: model, optimizer: sgd(learningRate: 1)
            ).fit(dataset).parameters.values
            let projection = published.indices.reduce(0) {
                $0 + direction[$1] * Double(start[$1] - published[$1]) * Double(dataset.count)
            }
            return projection / norm > middle
        }
        var (hits, falseAlarms) = (0, 0)
        for _ in 0..<runs {
            if try says(neighbor) { hits += 1 }
            if try says(data) { falseAlarms += 1 }
        }
        return (hits, falseAlarms)
    }

    func plan(count: Int, z: Double) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: count, samplingProbability: 1)), iterations: 1,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(z), delta: 1e-5)
    }
}

extension InMemoryDataset {
    /// `count` copies of one row, all of one class.
    init(copies count: Int, of row: [Float], target: Int, classCount: Int, and others: [[Float]] = []) {
        let rows = Array(repeating: row, count: count) + others
        self.init(
            inputs: Matrix(rows: rows.count, columns: row.count, elements: rows.flatMap { $0 }),
            targets: .classes(Array(repeating: target, count: rows.count), classCount: classCount))
    }
}

/// Vectors that a kernel maps to zero, up to rounding, by Gram and Schmidt in Float64.
struct NullSpace {
    private var basis: [[Double]] = []

    /// - Parameter kernel: inputs × outputs; fewer outputs than inputs.
    init(of kernel: [Float], outputs: Int) {
        for column in 0..<outputs {
            append(stride(from: column, to: kernel.count, by: outputs).map { Double(kernel[$0]) })
        }
    }

    private mutating func append(_ vector: [Double]) {
        let rest = orthogonal(vector)
        let norm = rest.reduce(0) { $0 + $1 * $1 }.squareRoot()
        if norm > 1e-9 { basis.append(rest.map { $0 / norm }) }
    }

    /// What is left of a vector without the kernel's columns.
    func orthogonal(_ vector: [Double]) -> [Double] {
        var rest = vector
        // Once more, for what rounding left the first time.
        for direction in basis + basis {
            let length = zip(rest, direction).reduce(0) { $0 + $1.0 * $1.1 }
            for index in rest.indices { rest[index] -= length * direction[index] }
        }
        return rest
    }
}
