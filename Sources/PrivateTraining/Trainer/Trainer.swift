import GradientTransformations
import Logging
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees

/// Trains a model privately: samples, privatizes, steps, evaluates, writes checkpoints, and stops where the plan ends.
///
///     let trainer = try Trainer(plan: plan, model: model, optimizer: optimizer)
///     let outcome = try trainer.fit(training, evaluatingOn: test)
///     print(outcome.report.text)
///
/// **Guarantee:** the parameters, their average, the report, and evaluations on other data are private as the plan
/// says.
///
/// - All of them are computed from the parameters of a ``PrivateRun``.
/// - Evaluation on the training examples is refused; see ``Dataset/hasSameExamples(as:)`` for what is compared.
public struct Trainer<Model: TrainableModel, Optimizer: AugmentedGradientTransformation>: Sendable {
    /// The plan: what is promised.
    public let plan: PrivacyPlan
    /// The model that is trained.
    public let model: Model
    /// The optimizer.
    public let optimizer: Optimizer
    /// Options that affect only speed, memory and accuracy.
    public let options: TrainingOptions

    /// Throws ``TrainingError/outOfRange(name:value:allowed:)`` for options out of range.
    public init(
        plan: PrivacyPlan, model: Model, optimizer: Optimizer, options: TrainingOptions = TrainingOptions()
    ) throws(TrainingError) {
        self.plan = plan
        self.model = model
        self.optimizer = optimizer
        self.options = try options.validated()
    }

    /// Trains to the end of the plan, or until `onStep` says to stop.
    ///
    /// With `checkpoints`, training goes on from the newest of them if there is one. A checkpoint is written before the
    /// first step, at the folder's interval, and at the end. One is also written before a step is reported or
    /// evaluated, so that a reported step is never repeated.
    ///
    /// - Parameters:
    ///   - data: the private examples.
    ///   - evaluation: other examples, to evaluate on; not covered by the plan.
    ///   - onStep: called after every step. A run that goes on from a checkpoint first calls it for the checkpoint's
    ///     step. If
    ///     it returns `.stop`, the run ends with the ε spent so far.
    ///
    /// Throws ``PlanError/dataSetSizeMismatch(planned:found:)``,
    /// ``TrainingError/evaluatesOnTrainingData(exampleCount:)``, `ModelError`, ``CheckpointError``, and what reading
    /// the data throws. Checkpoints that were written stay.
    public func fit(
        _ data: some Dataset, evaluatingOn evaluation: (any Dataset)? = nil,
        checkpoints: CheckpointFolder<Optimizer>? = nil, logger: Logger? = nil,
        onStep: (TrainingProgress) throws -> TrainingDirective = { _ in .proceed }
    ) throws -> TrainingOutcome<Model.Parameters> {
        guard data.count == plan.sampling.exampleCount else {
            throw PlanError.dataSetSizeMismatch(planned: plan.sampling.exampleCount, found: data.count)
        }
        if let evaluation, try data.hasSameExamples(as: evaluation) {
            throw TrainingError.evaluatesOnTrainingData(exampleCount: data.count)
        }
        let lock = try checkpoints?.lock()
        defer { lock?.release() }
        var session = try open(checkpoints)
        var workspace = model.makeWorkspace()
        var lastEvaluation: Evaluation?
        func tell(_ session: borrowing Session) throws -> Bool {
            let step = session.run.stepsTaken
            let isDue = isReportDue(at: step)
            lastEvaluation = nil
            if let evaluation, isDue {
                lastEvaluation = try model.evaluate(on: evaluation, at: session.parameters)
            }
            let progress = TrainingProgress(
                step: step, plan: plan, evaluation: lastEvaluation, isReportDue: isDue)
            if isDue, let logger { try progress.log(to: logger) }
            return try onStep(progress) == .stop
        }
        // What was saved may not have been told before the run was interrupted.
        var isStopped = session.run.stepsTaken > 0 ? try tell(session) : false
        while !session.run.isFinished, !isStopped {
            try session.run.step(microbatchSize: options.microbatchSize) { indices, parameters in
                let examples = try data.examples(at: indices)
                try model.check(featureCount: examples.inputs.columns, targets: examples.targets)
                return model.gradients(of: examples, at: parameters, workspace: &workspace)
            }
            let step = session.run.stepsTaken
            session.average.add(session.run.vector, step: step, of: plan.iterations, options.averaging)
            // Saved before anybody is told: a step that is lost and taken again was then seen by nobody.
            let isSaved = isReportDue(at: step) || checkpoints?.isDue(at: step) ?? false
            if isSaved { try checkpoints?.save(session.checkpoint(plan)) }
            isStopped = try tell(session)
            if isStopped, !isSaved { try checkpoints?.save(session.checkpoint(plan)) }
        }
        let parameters = session.parameters
        // A run that was stopped, or that goes on from its end, has not evaluated what it returns.
        if let evaluation, lastEvaluation == nil {
            lastEvaluation = try model.evaluate(on: evaluation, at: parameters)
        }
        return TrainingOutcome(
            parameters: parameters, stepsTaken: session.run.stepsTaken,
            evaluation: lastEvaluation,
            report: PrivacyReport(
                of: plan, stepsTaken: session.run.stepsTaken, isSeeded: session.run.isSeeded,
                interruptions: session.interruptions, notCovered: data.notCovered + options.notCovered))
    }

    private func isReportDue(at step: Int) -> Bool {
        step == plan.iterations || step.isMultiple(of: options.evaluationInterval ?? .max)
    }

    /// A run, the average of its parameters, and its interruptions.
    private struct Session: ~Copyable {
        var run: PrivateRun<Optimizer, Model.Parameters>
        var average = AveragedParameters()
        var interruptions = 0

        /// What is evaluated and returned.
        var parameters: Model.Parameters { run.structured(average.value(orElse: run.vector)) }

        func checkpoint(_ plan: PrivacyPlan) -> RunCheckpoint<Optimizer> {
            RunCheckpoint(run: run.snapshot, average: average, plan: plan, interruptions: interruptions)
        }
    }

    /// The newest checkpoint's run, with one interruption more, or a new run. Either is on disk before its first step.
    private func open(_ checkpoints: CheckpointFolder<Optimizer>?) throws -> Session {
        let initial = model.initialParameters(seed: options.initializationSeed)
        if let found = try checkpoints?.newest(for: plan, layout: model.layout) {
            var session = Session(
                run: PrivateRun(resuming: found.run, plan: plan, optimizer: optimizer, structure: initial),
                average: found.average, interruptions: found.interruptions)
            if session.run.isFinished {
                try checkpoints?.removeOlder(isFinished: true)
            } else {
                session.interruptions += 1
                try checkpoints?.save(session.checkpoint(plan))
            }
            return session
        }
        let session =
            if let seed = options.nonPrivateSeed {
                Session(run: try PrivateRun(plan, optimizer: optimizer, parameters: initial, nonPrivateSeed: seed))
            } else {
                Session(run: try PrivateRun(plan, optimizer: optimizer, parameters: initial))
            }
        try checkpoints?.save(session.checkpoint(plan))
        return session
    }
}

extension Trainer {
    /// A trainer with an ordinary optimizer: gradients are clipped as they are.
    ///
    /// Throws ``TrainingError/outOfRange(name:value:allowed:)`` for options out of range.
    public init<Base: GradientTransformation>(
        plan: PrivacyPlan, model: Model, optimizer: Base, options: TrainingOptions = TrainingOptions()
    ) throws(TrainingError) where Optimizer == IdentityAugmented<Base> {
        try self.init(plan: plan, model: model, optimizer: IdentityAugmented(optimizer), options: options)
    }
}
