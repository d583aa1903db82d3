import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

extension PrivateRun {
    /// A run with an ordinary optimizer: gradients are clipped as they are.
    ///
    /// Throws as with an augmented one.
    public init<Base: GradientTransformation>(
        _ plan: PrivacyPlan, optimizer: Base, parameters: Parameters, ranks: Ranks? = nil
    ) throws where Optimizer == IdentityAugmented<Base> {
        try self.init(plan, optimizer: IdentityAugmented(optimizer), parameters: parameters, ranks: ranks)
    }

    /// The same under a seed. **Not private**: whoever knows the seed can subtract the noise.
    public init<Base: GradientTransformation>(
        _ plan: PrivacyPlan, optimizer: Base, parameters: Parameters, nonPrivateSeed seed: UInt64,
        ranks: Ranks? = nil
    ) throws where Optimizer == IdentityAugmented<Base> {
        try self.init(
            plan, optimizer: IdentityAugmented(optimizer), parameters: parameters, nonPrivateSeed: seed, ranks: ranks)
    }
}

extension PrivateRun where Parameters: PyTree & Sendable {
    /// Takes one step on gradients that `gradient` writes one by one, each into a struct like the parameters.
    ///
    ///     try run.step(microbatchSize: 512) { index, model, gradient in
    ///         let error = model.predict(inputs[index]) - targets[index]
    ///         gradient.bias = error
    ///     }
    ///
    /// The closure is called once for each drawn example, on several threads at once. All else is as in
    /// ``step(microbatchSize:paddedToMultipleOf:copies:gradients:)``; memory for the gradients of a microbatch is held.
    ///
    /// **Guarantee:** each gradient depends on the example at its index only, if the closure depends on nothing but its
    /// arguments and that example. Each call gets a new struct whose leaves are zero, and computes on one thread. What
    /// the struct refers to beside its leaves is the same for all: do not write to it.
    ///
    /// Throws as ``step(microbatchSize:paddedToMultipleOf:copies:gradients:)``. Traps if the closure gives the struct
    /// other leaves, or if the parameters share their leaves with their copies, as a class does.
    public mutating func step(
        microbatchSize: Int? = nil,
        gradient: @Sendable (_ index: Int, _ parameters: Parameters, _ gradient: inout Parameters) -> Void
    ) throws {
        // Moved out of the run, so that it has one owner and changes in place.
        var memory = ExampleMemory<Parameters>()
        swap(&memory, &examples)
        defer { swap(&memory, &examples) }
        let layout = vector.layout
        try step(microbatchSize: microbatchSize) { indices, parameters in
            let zero = memory.zero ?? parameters.zeroed()
            memory.zero = zero
            memory.rows.reshape(rows: indices.count, columns: layout.count)
            memory.rows.fillRows(zero: zero, layout: layout) { gradient(indices[$0], parameters, &$1) }
            return try DenseRows(memory.rows, layout: layout)
        }
    }
}

/// Memory that is reused from step to step for gradients that are written one by one.
struct ExampleMemory<Parameters> {
    /// A struct whose leaves are zero.
    var zero: Parameters?
    var rows = Matrix(rows: 0, columns: 0)
}
