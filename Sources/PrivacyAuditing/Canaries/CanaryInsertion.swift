import PrivacyMechanisms
import PrivateOptimization
import PrivateTraining
import PyTrees
import Requirements

/// What puts canaries among a block's gradients, in the form that these have.
protocol CanaryInsertion {
    /// Whether factored gradients stay so.
    var keepsFactors: Bool { get }

    /// What whoever makes the gradients is asked for in the place of an index.
    func asked(for index: Int) -> Int

    /// The gradients of a block, canaries in their places.
    func inserted(into base: FactoredGradients, at indices: [Int]) -> FactoredGradients

    /// The same as rows.
    func inserted(into base: some PerExampleGradients, at indices: [Int]) -> DenseRows
}

extension PrivateRun {
    /// Takes a step with canaries among the gradients.
    mutating func step<Gradients: PerExampleGradients>(
        with canaries: some CanaryInsertion, microbatchSize: Int?,
        gradients: (_ indices: [Int], _ parameters: Parameters) throws -> Gradients
    ) throws {
        guard canaries.keepsFactors, Gradients.self == FactoredGradients.self else {
            return try step(microbatchSize: microbatchSize) { indices, parameters in
                canaries.inserted(into: try gradients(indices.map(canaries.asked), parameters), at: indices)
            }
        }
        try step(microbatchSize: microbatchSize) { indices, parameters in
            let base = try gradients(indices.map(canaries.asked), parameters)
            guard let factored = base as? FactoredGradients else { fail("Factored gradients are of their own type.") }
            return canaries.inserted(into: factored, at: indices)
        }
    }
}
