import Datasets
import GradientTransformations
import Networks
import PrivacyMechanisms
import PrivateOptimization
import PrivateTraining
import PyTrees
import Requirements

/// A run of a plan with canaries among its examples: what can be learned of them is compared with what the plan
/// promises.
///
///     let audit = try PrivacyAudit(plan, canaryCount: 1000)
///     let scores = try audit.scores(of: model, on: data, optimizer: optimizer)
///     let report = try AuditReport(audit, scores)
///     print(report.bound, report.epsilon, report.survived)
///
/// The plan's last examples are canaries, and count as examples: plan `data.count + canaryCount` of them, or as many as
/// the data have, the last of which then give up their places. Each is in by a fair coin of its own. They go through
/// the plan's sampling, clipping and noise and through the optimizer as they are: a ``/PrivateTraining/PrivateRun``
/// takes the steps.
///
/// **Guarantee:** canaries are additional or exchanged examples, in the sense of the plan's relation: a run of which
/// more is learned than ε allows is not (ε, δ)-private.
///
/// What an audit trains is not the model to be published: it has learned canaries.
public struct PrivacyAudit: Sendable {
    /// The plan that is audited.
    public let plan: PrivacyPlan
    /// How many canaries there are, in and out together.
    public let canaryCount: Int
    /// What canaries are.
    public let kind: CanaryKind
    /// Replays coins, noise and sampling.
    public let nonPrivateSeed: UInt64?

    /// - `nonPrivateSeed`: for tests; nil for coins, noise and sampling from the operating system.
    /// - Throws: ``AuditingError/outOfRange(name:value:allowed:)`` unless there are from 1 to as many canaries as the
    ///   plan has examples; ``AuditingError/unitNotAudited(unit:)`` for a promise to users.
    public init(
        _ plan: PrivacyPlan, canaryCount: Int, kind: CanaryKind = .gradient, nonPrivateSeed: UInt64? = nil
    ) throws {
        guard plan.unit == .example else { throw AuditingError.unitNotAudited(unit: plan.unit.rawValue) }
        try Check.count(canaryCount, "canaryCount", atLeast: 1, atMost: max(1, plan.sampling.exampleCount))
        self.plan = plan
        self.canaryCount = canaryCount
        self.kind = kind
        self.nonPrivateSeed = nonPrivateSeed
    }

    /// The scores of one run of a trainer's parts.
    ///
    /// Augmentations are left out: a canary is one gradient.
    ///
    /// - `data`: as many examples as the plan has, or as many less as there are canaries.
    /// - `parameters`: what training begins from; nil for the model's initial parameters.
    /// - `onStep`: called after each step, with the number of steps taken.
    /// - Throws: ``AuditingError``, and what a trainer throws for parts that do not fit.
    public func scores<Model: TrainableModel, Optimizer: AugmentedGradientTransformation>(
        of model: Model, on data: some Dataset, from parameters: Model.Parameters? = nil, optimizer: Optimizer,
        options: TrainingOptions = TrainingOptions(), onStep: (Int) throws -> Void = { _ in }
    ) throws -> CanaryScores {
        let planned = plan.sampling.exampleCount
        guard data.count > 0, data.count == planned || data.count == planned - canaryCount else {
            throw AuditingError.exampleCountMismatch(planned: planned, canaries: canaryCount, found: data.count)
        }
        let data: any Dataset =
            try plan.normalization.map {
                NormalizedDataset(
                    data,
                    by: try $0.release(
                        of: data, plannedCount: planned, noise: plan.noise.independent, nonPrivateSeed: nonPrivateSeed))
            } ?? data
        let initial = parameters ?? model.initialParameters(seed: options.initializationSeed)
        var workspace = model.makeWorkspace()
        var taken = 0
        func gradients(of examples: Examples, at parameters: Model.Parameters) throws -> Model.Gradients {
            var examples = examples
            try model.check(examples)
            examples.drawKey = options.drawKey(step: taken)
            return model.gradients(of: examples, at: parameters, workspace: &workspace)
        }
        func count(_ steps: Int) throws {
            taken = steps
            try onStep(steps)
        }
        let microbatchSize = options.microbatchSize(for: model)
        switch kind {
        case .gradient:
            return try scores(
                optimizer: optimizer, parameters: initial, microbatchSize: microbatchSize, onStep: count
            ) { indices, parameters in
                try gradients(of: data.examples(at: indices.map { max(0, $0) }), at: parameters)
            }
        case .label:
            var generator = AuditGenerator(.canaries, nonPrivateSeed: nonPrivateSeed)
            let canaries = try LabelCanaries(plan, count: canaryCount, data: data, using: &generator)
            var run = try makeRun(optimizer, initial)
            while !run.isFinished {
                try run.step(with: canaries, microbatchSize: microbatchSize) { indices, parameters in
                    try gradients(of: canaries.examples(at: indices), at: parameters)
                }
                try count(run.stepsTaken)
            }
            return try canaries.scores(model, from: initial, to: run.parameters)
        }
    }

    /// The scores of one run with gradients from anywhere.
    ///
    /// - `parameters`: what the run begins from.
    /// - `microbatchSize`: how many examples are asked for at once; nil for the whole batch.
    /// - `onStep`: called after each step, with the number of steps taken.
    /// - `gradients`: the gradients of the examples at `indices`, in their order. The index −1 is a canary's: any
    ///   gradient is taken for it, and replaced. Factored gradients stay so under
    ///   ``CanaryDirections/coordinates``; all others are written out as rows.
    /// - Throws: ``AuditingError``, and what a ``/PrivateTraining/PrivateRun`` and the closures throw. Traps for
    ///   canaries that are labels, which closures do not have.
    public func scores<Optimizer: AugmentedGradientTransformation, Parameters, Gradients: PerExampleGradients>(
        optimizer: Optimizer, parameters: Parameters, microbatchSize: Int? = nil,
        onStep: (Int) throws -> Void = { _ in },
        gradients: (_ indices: [Int], _ parameters: Parameters) throws -> Gradients
    ) throws -> CanaryScores where Parameters: ParameterStructure {
        guard case .gradient(let directions, let scoring) = kind else {
            fail("Canaries that are labels go through a model: call scores(of:on:optimizer:).")
        }
        var generator = AuditGenerator(.canaries, nonPrivateSeed: nonPrivateSeed)
        let canaries = try GradientCanaries<Optimizer.Transform>(
            plan, count: canaryCount, directions: directions, layout: parameters.treeLayout(), using: &generator)
        var run = try makeRun(ObservedOptimizer(base: optimizer, canaries: canaries), parameters)
        while !run.isFinished {
            if let adaptive = plan.clipping.adaptive, let clipNorm = run.adaptiveL2ClipNorm {
                canaries.clipping = try adaptive.rule(l2ClipNorm: clipNorm, normalizeBy: plan.normalizeBy)
            }
            try run.step(with: canaries, microbatchSize: microbatchSize, gradients: gradients)
            try onStep(run.stepsTaken)
        }
        return try canaries.scores(by: scoring)
    }

    private func makeRun<Optimizer: AugmentedGradientTransformation, Parameters: ParameterStructure>(
        _ optimizer: Optimizer, _ parameters: Parameters
    ) throws -> PrivateRun<Optimizer, Parameters> {
        try nonPrivateSeed.map {
            try PrivateRun(plan, optimizer: optimizer, parameters: parameters, nonPrivateSeed: $0)
        } ?? PrivateRun(plan, optimizer: optimizer, parameters: parameters)
    }
}
