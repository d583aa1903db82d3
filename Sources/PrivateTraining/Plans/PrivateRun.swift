import GradientTransformations
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees

/// A run of a plan: the parameters, and all that changes with them from step to step.
///
/// A run draws each batch itself, hands the examples' places to the caller, who adds their gradients, and steps:
///
///     var run = try PrivateRun(plan, optimizer: optimizer, parameters: model.initialParameters(seed: 0))
///     while !run.isFinished {
///         try run.step { indices, parameters, batch in
///             batch.add(gradients(of: indices, at: parameters))   // in as many microbatches as you like
///         }
///     }
///
/// **Guarantee:** the parameters are private as the plan says, if the gradients that are added for an index depend, beside
/// the parameters, on that example alone. A step releases one noised sum, however many microbatches it was added in; an
/// empty batch is noised too; a step beyond the plan throws; every run has its own noise, and no number of it is used
/// twice. A run cannot be copied.
///
/// "That example alone" holds for this package's models up to rounding: matrix products of a whole microbatch may round
/// an example's last bits differently when another one is added.
public struct PrivateRun<Optimizer: AugmentedGradientTransformation>: ~Copyable {
    /// What the run promises.
    public let plan: PrivacyPlan
    /// What turns private gradients into updates.
    public let optimizer: Optimizer
    /// The parameters after `stepsTaken` steps: private.
    public private(set) var parameters: ParameterVector
    /// The number of steps taken.
    public private(set) var stepsTaken = 0
    /// The clip norm of the next step where it adapts; nil where it is fixed. Made of noisy counts: private.
    public private(set) var adaptiveL2ClipNorm: Double?
    /// Whether noise and sampling can be replayed by whoever knows the seed: **such a run is not private.**
    public var isSeeded: Bool { nonPrivateSeed != nil }

    private(set) var state: Optimizer.State
    let nonPrivateSeed: UInt64?
    let source: SamplingSource
    private var batches: Batches<SamplingScheme>.Iterator
    /// The batch of a step that has not succeeded yet.
    private var drawn: [Int]?
    private var noise: GaussianNoise
    private var workspace = StepWorkspace()

    /// A run from `parameters` on, under fresh keys from the operating system.
    ///
    /// Throws `GradientTransformationError` if the optimizer does not fit the parameters.
    public init(_ plan: PrivacyPlan, optimizer: Optimizer, parameters: ParameterVector) throws {
        try self.init(plan, optimizer: optimizer, parameters: parameters, seed: nil)
    }

    /// A run that can be repeated bit by bit. **Not private**: whoever knows the seed can subtract the noise.
    public init(
        _ plan: PrivacyPlan, optimizer: Optimizer, parameters: ParameterVector, nonPrivateSeed seed: UInt64
    ) throws {
        try self.init(plan, optimizer: optimizer, parameters: parameters, seed: seed)
    }

    private init(_ plan: PrivacyPlan, optimizer: Optimizer, parameters: ParameterVector, seed: UInt64?) throws {
        self.plan = plan
        self.optimizer = optimizer
        self.parameters = parameters
        state = try optimizer.initialState(for: parameters)
        nonPrivateSeed = seed
        source = seed.map(SamplingSource.init(nonPrivateSeed:)) ?? SamplingSource()
        batches = Batches(plan.sampling, from: source).makeIterator()
        noise = seed.map { GaussianNoise(nonPrivateSeed: $0) } ?? GaussianNoise()
        if case .adaptiveQuantile(let adaptive) = plan.clipping { adaptiveL2ClipNorm = adaptive.initialL2ClipNorm }
    }

    /// The run that `snapshot` was taken of, from there on. A seeded one goes on with the same noise and batches. Else the
    /// noise comes from a fresh key and the choices of steps from that of `attempt`, 1, 2, …, so that steps which were lost
    /// with an interrupted process are never repeated with the same noise, nor, where steps are independent, with the
    /// same batch.
    init(
        resuming snapshot: RunSnapshot<Optimizer.State>, attempt: Int, plan: PrivacyPlan, optimizer: Optimizer
    ) {
        self.plan = plan
        self.optimizer = optimizer
        parameters = snapshot.parameters
        state = snapshot.state
        stepsTaken = snapshot.stepsTaken
        adaptiveL2ClipNorm = snapshot.adaptiveL2ClipNorm
        nonPrivateSeed = snapshot.nonPrivateSeed
        source = snapshot.source
        let drawn = snapshot.nonPrivateSeed == nil ? source.forAttempt(attempt) : source
        batches = Batches(plan.sampling, from: drawn, startingAt: snapshot.stepsTaken).makeIterator()
        noise =
            snapshot.nonPrivateSeed.map { GaussianNoise(nonPrivateSeed: $0, resumingAt: snapshot.noisePosition) }
            ?? GaussianNoise()
    }

    /// All that the run goes on from. A finished run draws no more, and leaves its secret key out.
    var snapshot: RunSnapshot<Optimizer.State> {
        RunSnapshot(
            parameters: parameters, state: state, stepsTaken: stepsTaken, adaptiveL2ClipNorm: adaptiveL2ClipNorm,
            source: isFinished && !isSeeded ? SamplingSource() : source, nonPrivateSeed: nonPrivateSeed,
            noisePosition: noise.position)
    }

    /// Whether all planned steps have been taken.
    public var isFinished: Bool { stepsTaken >= plan.iterations }

    /// Takes one step: draws a batch, has its examples added, noises the sum once, and updates the parameters.
    ///
    /// Throws ``PlanError/exhausted(iterations:)`` beyond the plan; what the transform throws; what `addExamples` throws.
    /// Parameters, state and step count are then as they were, nothing of the batch has been released, and the next call
    /// is for the same batch.
    /// Traps unless exactly the drawn examples were added, padding aside.
    ///
    /// - Parameter addExamples: adds the gradients of the examples at the given places of the data set, at the given
    ///   parameters. The places are not private: which examples were drawn must not be seen by anyone.
    public mutating func step(
        addExamples: ([Int], ParameterVector, inout PrivateBatch<Optimizer.Transform>) throws -> Void
    ) throws {
        guard !isFinished else { throw PlanError.exhausted(iterations: plan.iterations) }
        guard let indices = drawn ?? batches.next() else { preconditionFailure("A stream of batches does not end.") }
        drawn = indices
        func add(_ parameters: ParameterVector, _ batch: inout PrivateBatch<Optimizer.Transform>) throws {
            try addExamples(indices, parameters, &batch)
            precondition(
                batch.exampleCount == indices.count,
                "\(batch.exampleCount) examples were added, but \(indices.count) were drawn: add each of them once.")
        }
        if case .adaptiveQuantile(let adaptive) = plan.clipping, let clipNorm = adaptiveL2ClipNorm {
            let rule = try adaptive.rule(l2ClipNorm: clipNorm, normalizeBy: plan.normalizeBy)
            let share = try optimizer.privateStep(
                state: &state, parameters: &parameters, adaptive: adaptive, clipping: rule,
                noiseMultiplier: plan.noiseMultiplier, noise: &noise, workspace: &workspace, addExamples: add)
            adaptiveL2ClipNorm = adaptive.nextL2ClipNorm(after: clipNorm, noisyShareWithin: share)
        } else {
            try optimizer.privateStep(
                state: &state, parameters: &parameters, clipping: plan.initialClippingRule,
                noiseMultiplier: plan.noiseMultiplier, noise: &noise, workspace: &workspace, addExamples: add)
        }
        stepsTaken += 1
        drawn = nil
    }

    /// What the steps taken so far cost, at the plan's δ: less than was planned if the run stops early.
    public func epsilonSpent() throws(AccountingError) -> Double {
        try plan.epsilon(afterIterations: stepsTaken)
    }
}

/// What a run goes on from.
struct RunSnapshot<State: Codable & Sendable>: Sendable {
    var parameters: ParameterVector
    var state: State
    var stepsTaken: Int
    var adaptiveL2ClipNorm: Double?
    var source: SamplingSource
    var nonPrivateSeed: UInt64?
    var noisePosition: UInt64
}
