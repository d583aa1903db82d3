import GradientTransformations
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Requirements

/// A run of a plan: the parameters, and all that changes with them from step to step.
///
/// A run draws each batch itself, asks for the gradients of its examples, block by block, and steps:
///
///     var run = try PrivateRun(plan, optimizer: optimizer, parameters: model)    // a struct that is a PyTree
///     while !run.isFinished {
///         try run.step(microbatchSize: 512) { index, model, gradient in
///             …                                           // gradient: a struct like the model, all of it zero before
///         }
///     }
///
/// or, for gradients that come in batches, and with parameters that are a struct or a flat vector:
///
///     try run.step(microbatchSize: 512) { indices, parameters in
///         try gradients(of: indices, at: parameters)      // one for each index, in their order
///     }
///
/// **Guarantee:** the parameters are private as the plan says, if gradient k of a block depends on the parameters and
/// on the example at the k-th index of that block only.
///
/// - Every drawn example is asked for exactly once in a step. A block with another number of gradients traps.
/// - A step releases one noised sum, however many blocks it was added in; an empty batch is noised too.
/// - A step beyond the plan throws.
/// - Every run has its own noise, and no number of it is used twice. A run cannot be copied.
/// - A run that goes on from a checkpoint has fresh noise, and a fresh key for the choices of its steps.
///
/// The models of this package satisfy "that example only" in every bit. Your own closure has to do so, too: a ReLU or a
/// sign turns the last bit of a matrix product over the whole block into a whole gradient.
public struct PrivateRun<Optimizer: AugmentedGradientTransformation, Parameters: ParameterStructure>: ~Copyable {
    /// What the run promises.
    public let plan: PrivacyPlan
    /// What turns private gradients into updates.
    public let optimizer: Optimizer
    /// The parameters after `stepsTaken` steps, all leaves in one vector: private.
    public private(set) var vector: ParameterVector
    /// The same parameters as what the run began with: a struct, or the vector. Private.
    /// - Complexity: one copy of a struct's leaves.
    public var parameters: Parameters {
        structured(vector)
    }

    /// A structure like the parameters that holds the values of `vector`.
    func structured(_ vector: ParameterVector) -> Parameters {
        guard let structure else { fail("The parameters were asked for in the middle of a step.") }
        return structure.holding(vector)
    }
    /// The number of steps taken.
    public private(set) var stepsTaken = 0
    /// The clip norm of the next step where it adapts; nil where it is fixed. Made of noisy counts: private.
    public private(set) var adaptiveL2ClipNorm: Double?
    /// Whether noise and sampling can be replayed by whoever knows the seed: **such a run is not private.**
    public var isSeeded: Bool { nonPrivateSeed != nil }

    /// What each step writes the vector to, for closures to see; gone while a step is under way.
    private var structure: Parameters?
    /// Memory for the gradients of a microbatch that a closure writes one by one.
    var examples = ExampleMemory<Parameters>()
    /// The optimizer's state, or what this rank keeps of it.
    private(set) var state: Optimizer.State
    let nonPrivateSeed: UInt64?
    let source: SamplingSource
    private var batches: Batches.Iterator
    /// The batch of a step that has not succeeded yet.
    private var drawn: Batch?
    private var noise: Noise
    private var workspace: StepWorkspace
    /// Who takes the steps together; nil for this process alone.
    public var ranks: Ranks? { workspace.ranks }

    /// A run from `parameters` on, under fresh keys from the operating system.
    ///
    /// Throws `GradientTransformationError` if the optimizer does not fit the parameters,
    /// ``PlanError/transformChangesWithinStrategy(interval:steps:restarts:)`` if it does not fit correlated noise,
    /// `PrivacyMechanismError.clipNormsDoNotFitLayout` if the plan's clip norms do not, `clipNormTooSmallForGrid` if
    /// rounding to integers would take one of them up, and ``/PyTrees/PyTreeError`` for a tree whose leaves cannot be
    /// told apart.
    ///
    /// With `ranks`, every rank makes a run of its own, of the same plan, optimizer and parameters, and takes every
    /// step; ``/PrivacyMechanisms/RankError`` on all of them if they are not the same.
    ///
    /// Ranks that hold a part of the data each (`Ranks.holdingPart(of:)`) are asked for gradients of their own
    /// examples, counted from 0 on. Throws ``PlanError/dataSetSizeMismatch(planned:found:)`` if the parts are not as
    /// many examples together as the plan is for, and `PrivacyMechanismError.needsAllExamples` for samplers that cannot
    /// draw from parts.
    public init(_ plan: PrivacyPlan, optimizer: Optimizer, parameters: Parameters, ranks: Ranks? = nil) throws {
        try self.init(plan, optimizer: optimizer, parameters: parameters, seed: nil, ranks: ranks)
    }

    /// A run that can be repeated bit by bit. **Not private**: whoever knows the seed can subtract the noise.
    public init(
        _ plan: PrivacyPlan, optimizer: Optimizer, parameters: Parameters, nonPrivateSeed seed: UInt64,
        ranks: Ranks? = nil
    ) throws {
        try self.init(plan, optimizer: optimizer, parameters: parameters, seed: seed, ranks: ranks)
    }

    private init(
        _ plan: PrivacyPlan, optimizer: Optimizer, parameters: Parameters, seed: UInt64?, ranks: Ranks?
    ) throws {
        if ranks != nil, plan.noise.mechanism.sums != .exact || plan.noiseMultiplier == 0 {
            throw PrivacyMechanismError.ranksNeedExactSums(kind: plan.noise.kind, noiseMultiplier: plan.noiseMultiplier)
        }
        let vector = try parameters.flattened()
        let state = try optimizer.initialState(for: vector)
        let sums = try optimizer.preClippingTransform(for: state, layout: vector.layout).transformedLayout
        _ = try plan.initialClippingRule.sensitivity(for: plan.relation, layout: sums)
        _ = try plan.grid(layout: sums)
        if let correlation = plan.noise.correlation, let interval = optimizer.refreshInterval {
            guard plan.allowsTransforms(changingEvery: interval) else {
                throw PlanError.transformChangesWithinStrategy(
                    interval: interval, steps: correlation.strategy.steps, restarts: correlation.restarts)
            }
        }
        try ranks?.requireEqual(plan, optimizer, vector, stepsTaken: 0, seed: seed)
        let sampling = try plan.sampling(by: ranks)
        self.plan = plan
        self.optimizer = optimizer
        self.vector = vector
        workspace = StepWorkspace(ranks: ranks, sharingStateOf: optimizer)
        self.state = workspace.kept(of: state, in: vector.layout)
        structure = parameters.template
        nonPrivateSeed = seed
        let own = seed.map(SamplingSource.init(nonPrivateSeed:)) ?? SamplingSource()
        source = ranks.map(own.ofFirst) ?? own
        batches = Self.batches(sampling, from: source, isSeeded: seed != nil, startingAt: 0, ranks)
        noise = seed.map { Noise(plan.noise, nonPrivateSeed: $0) } ?? Noise(plan.noise)
        adaptiveL2ClipNorm = plan.clipping.adaptive?.initialL2ClipNorm
    }

    /// Goes on with the run that `snapshot` was taken of. A seeded run continues with the same noise and batches, any
    /// other with noise and choices of steps from fresh keys.
    ///
    /// **Guarantee:** a step that is taken again has fresh noise, whether the first was lost with its process or two
    /// processes continue from copies of one snapshot.
    ///
    /// - Its batch is drawn again, independently, unless the structure of the run decides it: see
    ///   ``/PrivacyMechanisms/BatchRepetition``.
    /// - ε counts each step once. Who sees the results of a step twice has seen two steps, and both count; where noise
    ///   is correlated over steps, who sees steps twice has seen two runs.
    ///
    /// Throws ``/PrivacyMechanisms/RankError`` if ranks go on from different snapshots; a run goes on on any number of
    /// ranks.
    ///
    /// - Parameter structure: like the parameters that the run began with; its values are not used.
    init(
        resuming snapshot: RunSnapshot<Optimizer.State>, plan: PrivacyPlan, optimizer: Optimizer,
        structure: Parameters, ranks: Ranks? = nil
    ) throws {
        try ranks?.requireEqual(
            plan, optimizer, snapshot.parameters, stepsTaken: snapshot.stepsTaken, seed: snapshot.nonPrivateSeed)
        let sampling = try plan.sampling(by: ranks)
        workspace = StepWorkspace(ranks: ranks, sharingStateOf: optimizer)
        self.plan = plan
        self.optimizer = optimizer
        vector = snapshot.parameters
        self.structure = structure.template
        state = workspace.kept(of: snapshot.state, in: snapshot.parameters.layout)
        stepsTaken = snapshot.stepsTaken
        adaptiveL2ClipNorm = snapshot.adaptiveL2ClipNorm
        nonPrivateSeed = snapshot.nonPrivateSeed
        source = snapshot.source
        batches = Self.batches(
            sampling, from: source, isSeeded: nonPrivateSeed != nil, startingAt: snapshot.stepsTaken, ranks)
        noise = Noise(plan.noise, resuming: snapshot.noise, nonPrivateSeed: nonPrivateSeed)
    }

    /// The structure comes from `source`, which checkpoints keep. The choices of steps come from a key that they do
    /// not.
    private static func batches(
        _ sampling: SamplingScheme, from source: SamplingSource, isSeeded: Bool, startingAt step: Int, _ ranks: Ranks?
    ) -> Batches.Iterator {
        let fresh = isSeeded ? source : source.withFreshSteps()
        let own = ranks.map { $0.partCount == nil ? fresh.ofFirst(of: $0) : fresh.ofPart($0.rank) } ?? fresh
        return Batches(sampling, from: own, startingAt: step).makeIterator()
    }

    /// Everything that the run needs to go on. A finished run draws no more batches, and leaves out the key of its
    /// structure and what its noise kept of past steps. With ranks, all of them ask for it at once.
    var snapshot: RunSnapshot<Optimizer.State> {
        RunSnapshot(
            parameters: vector, state: workspace.whole(of: state, in: vector.layout), stepsTaken: stepsTaken,
            adaptiveL2ClipNorm: adaptiveL2ClipNorm,
            source: isFinished && !isSeeded ? SamplingSource() : source, nonPrivateSeed: nonPrivateSeed,
            noise: isFinished && !isSeeded ? Noise(plan.noise).checkpoint() : noise.checkpoint(of: ranks))
    }

    /// Whether all planned steps have been taken.
    public var isFinished: Bool { stepsTaken >= plan.iterations }

    /// Takes one step: draws a batch, asks for its gradients block by block, noises their sum once, and updates the
    /// parameters.
    ///
    /// The drawn examples are cut into blocks of `microbatchSize`, the last of which may be smaller; an empty batch
    /// asks for nothing. A user's examples lie beside each other and are never cut: blocks end between users, and are
    /// as long as one user needs. What is clipped of a user is the mean of their gradients.
    ///
    /// The number of gradients in each block is checked. The closure has to return, as gradient k, the gradient of the
    /// example at `indices[k]` and of no other: no check can see that, and an example that replaces another one moves
    /// the sum by twice the clip norm.
    ///
    /// Throws ``PlanError/exhausted(iterations:)`` beyond the plan; what the transform throws; what `gradients` throws.
    /// Parameters, state and step count are then as they were, nothing of the batch has been released, and the next
    /// call is for the same batch.
    /// Traps unless each block has as many gradients as indices, and both sizes are at least 1.
    ///
    /// - Parameters:
    ///   - microbatchSize: how many examples are asked for at once, at least 1; nil for the whole batch.
    ///   - multiple: each block is filled up to a multiple of this number, at least 1, with the index −1. A gradient
    ///     is due for these too, and is ignored: for programs that only run with fixed shapes.
    ///   - copies: how many gradients come back for each index, at least 1, beside each other: those of an augmented
    ///     example. Their mean is what is clipped.
    ///   - gradients: the gradients of the examples at `indices`, in their order, at the given parameters. The indices
    ///     are not private: which examples were drawn must not be seen by anyone.
    /// - Complexity: one copy of the parameters if they are a struct, beside what `gradients` and the optimizer take.
    public mutating func step<Gradients: PerExampleGradients>(
        microbatchSize: Int? = nil, paddedToMultipleOf multiple: Int = 1, copies: Int = 1,
        gradients: (_ indices: [Int], _ parameters: Parameters) throws -> Gradients
    ) throws {
        require(copies >= 1, "\(copies) gradients for each example were announced; 1 is the least.")
        require(multiple >= 1, "Blocks are filled up to a multiple of \(multiple), but it must be at least 1.")
        require(
            microbatchSize ?? 1 >= 1, "Blocks of \(microbatchSize ?? 0) examples were asked for; 1 is the smallest.")
        guard !isFinished else { throw PlanError.exhausted(iterations: plan.iterations) }
        guard let drawn = drawn ?? batches.next() else { fail("A stream of batches does not end.") }
        self.drawn = drawn
        guard var structure = structure.take() else { fail("A step was asked for in the middle of another one.") }
        defer { self.structure = structure }
        let ranks = ranks
        func addBlocks(_ parameters: Parameters, _ batch: inout PrivateBatch<Optimizer.Transform>) throws {
            for examples in Self.blocks(of: drawn, ofAtMost: microbatchSize, addedBy: ranks) {
                let rows = examples.padded(toMultipleOf: multiple)
                let block = try gradients(rows.examples, parameters)
                require(
                    block.exampleCount == rows.count * copies,
                    "\(block.exampleCount) gradients were returned for \(rows.count) examples: return \(copies) for "
                        + "each index that was asked for.")
                if let units = rows.units(copies: copies) {
                    batch.add(block, meansOf: units, padding: rows.padding)
                } else {
                    batch.add(block, padding: rows.padding)
                }
            }
        }
        func add(_ vector: ParameterVector, _ batch: inout PrivateBatch<Optimizer.Transform>) throws {
            // A rank that throws would be waited for: then all throw.
            func addOwn() throws { try structure.withValues(of: vector) { try addBlocks($0, &batch) } }
            try ranks.together(addOwn)
        }
        if let adaptive = plan.clipping.adaptive, let clipNorm = adaptiveL2ClipNorm {
            let rule = try adaptive.rule(l2ClipNorm: clipNorm, normalizeBy: plan.normalizeBy)
            let share = try optimizer.privateStep(
                state: &state, parameters: &vector, adaptive: adaptive, clipping: rule,
                noiseMultiplier: plan.noiseMultiplier, noise: &noise, workspace: &workspace, addExamples: add)
            adaptiveL2ClipNorm = adaptive.nextL2ClipNorm(after: clipNorm, noisyShareWithin: share)
        } else {
            try optimizer.privateStep(
                state: &state, parameters: &vector, clipping: plan.initialClippingRule,
                noiseMultiplier: plan.noiseMultiplier, noise: &noise, workspace: &workspace, addExamples: add)
        }
        stepsTaken += 1
        self.drawn = nil
    }

    /// The layout of what is clipped, summed and noised: that of the transformed gradients. For ``PrivacyReport``.
    ///
    /// Throws what the optimizer's transform throws.
    public func sumLayout() throws(PrivacyMechanismError) -> TreeLayout {
        try optimizer.preClippingTransform(for: state, layout: vector.layout).transformedLayout
    }

    /// ε of the steps taken so far, at the plan's δ.
    public func epsilonSpent() throws(AccountingError) -> Double {
        try plan.epsilon(afterIterations: stepsTaken)
    }
}

/// Everything that a run needs to go on.
struct RunSnapshot<State: Codable & Sendable>: Sendable {
    var parameters: ParameterVector
    var state: State
    var stepsTaken: Int
    var adaptiveL2ClipNorm: Double?
    var source: SamplingSource
    var nonPrivateSeed: UInt64?
    var noise: NoiseCheckpoint
}
