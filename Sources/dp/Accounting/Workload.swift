import Foundation

/// What samplers are compared at: the same expected batch, and the same number of steps.
struct Workload {
    let exampleCount: Int
    let batchSize: Int
    let iterations: Int
    /// b of cyclic Poisson and b-min-sep sampling.
    let bands: Int
    /// The largest batch of truncated Poisson sampling.
    let limit: Int

    /// A sampler's numbers that do the work, by their keys in plan files, with what is not quite the same; or why it
    /// cannot.
    enum Equivalent {
        case numbers([String: JSONValue], _ remark: String? = nil)
        case none(String)
    }

    /// m/n.
    var samplingProbability: Double { Double(batchSize) / Double(exampleCount) }

    /// n/m, rounded.
    var stepsPerEpoch: Int { max(1, Int((Double(exampleCount) / Double(batchSize)).rounded())) }

    /// That epochs have a whole number of steps, if it makes batches of another size.
    func remark(onEpochsOf steps: Int) -> String? {
        guard exampleCount % batchSize != 0 else { return nil }
        return "epochs have \(steps) steps, and batches \(shortest(Double(exampleCount) / Double(steps))) examples."
    }
}
