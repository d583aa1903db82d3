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
/// - All of them are computed from the parameters of a ``PrivateRun``, and from what the plan's normalization releases.
/// - A normalization is released once in a run, and every checkpoint has it: a process that ends before the first one
///   is written has shown it to nobody.
/// - Evaluation on the training examples is refused; see ``/Datasets/Dataset/hasSameExamples(as:)`` for what is
///   compared.
public struct Trainer<Model: TrainableModel, Optimizer: AugmentedGradientTransformation>: Sendable {
    /// The plan: what is promised.
    public let plan: PrivacyPlan
    /// The model that is trained.
    public let model: Model
    /// The optimizer.
    public let optimizer: Optimizer
    /// Options that affect only speed, memory and accuracy.
    public let options: TrainingOptions
    /// How examples are changed at random in training; nil for not at all.
    public let augmentation: (any Augmentation)?
    /// Who trains together; nil for this process alone.
    public let ranks: Ranks?

    /// Throws ``TrainingError/outOfRange(name:value:allowed:)`` for options out of range.
    ///
    /// With `ranks`, every rank makes a trainer of the same plan, model, optimizer and options, and fits it to the same
    /// data, which every rank can read: the batches are dealt out. Rank 0 evaluates, reports and writes checkpoints;
    /// all have to see the folder to go on from one. The result does not depend on the number of ranks, in any bit, as
    /// long as their processors compute the same.
    ///
    /// Or each rank fits it to a part of the data, `ranks` being `ranks.holdingPart(of: part.count)`; the plan is for
    /// the examples of all parts together. The batches have then the law of one rank's, and are others.
    public init(
        plan: PrivacyPlan, model: Model, optimizer: Optimizer, options: TrainingOptions = TrainingOptions(),
        augmentation: (any Augmentation)? = nil, ranks: Ranks? = nil
    ) throws(TrainingError) {
        self.plan = plan
        self.model = model
        self.optimizer = optimizer
        self.options = try options.validated()
        self.augmentation = augmentation
        self.ranks = ranks
        if let count = augmentation?.count, count < 1 {
            throw .outOfRange(name: "augmentation.count", value: "\(count)", allowed: "at least 1")
        }
    }

    /// Trains to the end of the plan, or until `onStep` says to stop.
    ///
    /// Where the plan has a normalization, the model sees examples normalised by what it released, those to evaluate on
    /// too.
    ///
    /// With `checkpoints`, training goes on from the newest of them if there is one. A checkpoint is written before the
    /// first step, at the folder's interval, and at the end. One is also written before a step is reported or
    /// evaluated, so that a reported step is never repeated.
    ///
    /// A run that goes on from a checkpoint has the checkpoint's parameters: `parameters` are part of the first
    /// checkpoint, and need not be given again.
    ///
    /// - Parameters:
    ///   - data: the private examples.
    ///   - parameters: what training begins from; nil for the model's initial parameters. **They must be public**: made
    ///     without these examples. The report says that they are not covered.
    ///   - evaluation: other examples, to evaluate on; not covered by the plan.
    ///   - checkpoints: where the run is written to, and goes on from.
    ///   - logger: gets a line for every step that is reported.
    ///   - onStep: called after every step. A run that goes on from a checkpoint first calls it for the checkpoint's
    ///     step. If it returns `.stop`, the run ends with the ε spent so far.
    ///
    /// Throws ``PlanError/dataSetSizeMismatch(planned:found:)``, ``PlanError/channelsDoNotFit(channels:features:)``,
    /// ``TrainingError/evaluatesOnTrainingData(exampleCount:)``, `ModelError`, also for parameters that do not fit
    /// the model or are not finite, ``CheckpointError``, and what reading the data throws. Checkpoints that were
    /// written stay.
    public func fit(
        _ data: some Dataset, from parameters: Model.Parameters? = nil, evaluatingOn evaluation: (any Dataset)? = nil,
        checkpoints: CheckpointFolder<Optimizer>? = nil, logger: Logger? = nil,
        onStep: (TrainingProgress) throws -> TrainingDirective = { _ in .proceed }
    ) throws -> TrainingOutcome<Model.Parameters> {
        try check(data, evaluation)
        try ranks.together {
            try plan.normalization?.check(featureCount: data.featureCount)
            try augmentation?.check(featureCount: model.featureCount)
            if let parameters { _ = try model.checkedVector(of: parameters) }
        }
        try ranks?.agree(onSecret: ["frozen parameters (by their digest)": model.fixedParametersDigest ?? "none"])
        try ranks?.agree(on: ["checkpoint interval": "\(checkpoints?.interval ?? 0)"])
        let lock = try ranks.onFirst { try checkpoints?.lock() } ?? nil
        defer { lock?.release() }
        var time = TrainingTime()
        var session = try open(checkpoints, data, parameters, &time)
        let data = Self.normalized(data, session)
        let evaluation = evaluation.map { Self.normalized($0, session) }
        var workspace = model.makeWorkspace()
        let copies = augmentation?.count ?? 1
        let microbatchSize = options.microbatchSize(for: model, copies: copies)
        if let logger, !model.unusedLeaves.isEmpty {
            logger.warning(
                """
                The model does not use \(model.unusedLeaves.map { "'\($0)'" }.joined(separator: ", ")): nothing of the \
                data reaches these parameters, and noise alone moves them.
                """)
        }
        var lastEvaluation: Evaluation?
        var lastSeconds: Double?
        func evaluate(_ session: borrowing Session) throws {
            lastEvaluation = nil
            guard let evaluation, ranks.isFirst else { return }
            let before = time.evaluation
            let parameters = session.parameters
            lastEvaluation = try time.measure(\.evaluation) { try model.evaluate(on: evaluation, at: parameters) }
            lastSeconds = time.evaluation - before
        }
        func isReportDue(_ session: borrowing Session) throws -> Bool {
            let step = session.run.stepsTaken
            return try ranks.fromFirst {
                options.evaluation.isDue(at: step, of: plan.iterations, after: time, lastEvaluation: lastSeconds)
            }
        }
        func tell(_ session: borrowing Session, isDue: Bool) throws -> Bool {
            let step = session.run.stepsTaken
            func evaluation() throws -> Evaluation? {
                if isDue { try evaluate(session) } else { lastEvaluation = nil }
                return lastEvaluation
            }
            return try ranks.fromFirst {
                let progress = TrainingProgress(
                    step: step, plan: plan, evaluation: try evaluation(), isReportDue: isDue)
                if isDue, let logger { try progress.log(to: logger) }
                return try onStep(progress) == .stop
            }
        }
        // What was saved may not have been told before the run was interrupted.
        var isStopped = session.run.stepsTaken > 0 ? try tell(session, isDue: try isReportDue(session)) : false
        while !session.run.isFinished, !isStopped {
            let begin = ContinuousClock.now
            // A step that is taken again after an interruption draws what it drew before.
            let drawKey = options.drawKey(step: session.run.stepsTaken)
            try session.run.step(microbatchSize: microbatchSize, copies: copies) { indices, parameters in
                var examples = try data.examples(at: indices)
                try model.check(examples)
                examples.drawKey = drawKey
                if let augmentation { examples = examples.augmented(by: augmentation) }
                return model.gradients(of: examples, at: parameters, workspace: &workspace)
            }
            let step = session.run.stepsTaken
            session.average.add(session.run.vector, step: step, of: plan.iterations, options.averaging)
            time.steps += begin.duration(to: .now) / .seconds(1)
            // Saved before anybody is told: a step that is lost and taken again was then seen by nobody.
            let isDue = try isReportDue(session)
            let isSaved = isDue || checkpoints?.isDue(at: step) ?? false
            if isSaved { try session.save(to: checkpoints, plan, &time) }
            isStopped = try tell(session, isDue: isDue)
            if isStopped, !isSaved { try session.save(to: checkpoints, plan, &time) }
        }
        // A run that was stopped, or that goes on from its end, has not evaluated what it returns.
        func evaluateLast() throws { if lastEvaluation == nil { try evaluate(session) } }
        try ranks.together(evaluateLast)
        return TrainingOutcome(
            parameters: session.parameters, normalization: session.normalization, stepsTaken: session.run.stepsTaken,
            evaluation: lastEvaluation,
            report: PrivacyReport(
                of: plan, stepsTaken: session.run.stepsTaken, isSeeded: session.run.isSeeded,
                interruptions: session.interruptions,
                notCovered: data.notCovered + session.notCovered + options.notCovered,
                sumLayout: try session.run.sumLayout()),
            time: time)
    }

    /// A run, the average of its parameters, and its interruptions.
    private struct Session: ~Copyable {
        var run: PrivateRun<Optimizer, Model.Parameters>
        var average = AveragedParameters()
        /// What the plan's normalization released.
        let normalization: ChannelNormalization?
        var interruptions = 0
        /// What went into model and parameters, from the first step on, that the plan does not cover; each thing once.
        var notCovered: [String]
        let fixedParametersDigest: String?

        /// What is evaluated and returned.
        var parameters: Model.Parameters { run.structured(average.value(orElse: run.vector)) }

        /// Writes a checkpoint, if there is a folder for it.
        func save(
            to checkpoints: CheckpointFolder<Optimizer>?, _ plan: PrivacyPlan, _ time: inout TrainingTime
        ) throws {
            guard let checkpoints else { return }
            try run.requireEqualRanks()
            // All ranks give what they have, and one writes.
            let checkpoint = RunCheckpoint<Optimizer>(
                run: run.snapshot, average: average, plan: plan, normalization: normalization,
                interruptions: interruptions, notCovered: notCovered)
            func write() throws {
                if run.ranks.isFirst {
                    try checkpoints.save(checkpoint, fixedParametersDigest: fixedParametersDigest)
                }
            }
            let ranks = run.ranks
            try time.measure(\.checkpoints) { try ranks.together(write) }
        }
    }

    /// The data as the model sees it.
    private static func normalized(_ data: any Dataset, _ session: borrowing Session) -> any Dataset {
        session.normalization.map { NormalizedDataset(data, by: $0) } ?? data
    }

    /// Throws what ``fit(_:from:evaluatingOn:checkpoints:logger:onStep:)`` throws if the plan's clip norms or the
    /// optimizer do not fit the model, before anything is written.
    package func checkFit() throws {
        _ = try PrivateRun(
            plan, optimizer: optimizer, parameters: model.initialParameters(seed: options.initializationSeed),
            ranks: ranks)
    }

    /// The newest checkpoint's run, with one interruption more, or a new run. Either is on disk before its first step.
    private func open(
        _ checkpoints: CheckpointFolder<Optimizer>?, _ data: any Dataset, _ parameters: Model.Parameters?,
        _ time: inout TrainingTime
    ) throws -> Session {
        let initial = parameters ?? model.initialParameters(seed: options.initializationSeed)
        let digest = checkpoints == nil ? nil : model.fixedParametersDigest
        /// Each sentence once.
        func told(_ sentences: [String]) -> [String] {
            sentences.reduce(into: []) { told, sentence in if !told.contains(sentence) { told.append(sentence) } }
        }
        func newest() throws -> RunCheckpoint<Optimizer>? {
            try checkpoints?.newest(for: plan, layout: model.layout, fixedParametersDigest: digest)
        }
        // Rank 0 looks first, since it puts in order what a killed process left.
        let first = try ranks.onFirst(newest) ?? nil
        let found = try ranks.together { ranks.isFirst ? first : try newest() }
        try ranks?.agree(on: ["checkpoint": found.map { "step \($0.run.stepsTaken)" } ?? "none"])
        if let found {
            var session = Session(
                run: try PrivateRun(
                    resuming: found.run, plan: plan, optimizer: optimizer, structure: initial, ranks: ranks),
                average: found.average, normalization: found.normalization, interruptions: found.interruptions,
                notCovered: told(found.notCovered + model.notCovered + partsNotCovered), fixedParametersDigest: digest)
            if session.run.isFinished {
                _ = try ranks.onFirst { try checkpoints?.removeOlder(isFinished: true) }
            } else {
                session.interruptions += 1
                try session.save(to: checkpoints, plan, &time)
            }
            return session
        }
        let run =
            if let seed = options.nonPrivateSeed {
                try PrivateRun(plan, optimizer: optimizer, parameters: initial, nonPrivateSeed: seed, ranks: ranks)
            } else {
                try PrivateRun(plan, optimizer: optimizer, parameters: initial, ranks: ranks)
            }
        let given = parameters == nil ? [] : [Model.givenParametersNotCovered]
        let session = Session(
            run: run, normalization: try release(of: data),
            notCovered: told(model.notCovered + given + partsNotCovered), fixedParametersDigest: digest)
        try session.save(to: checkpoints, plan, &time)
        return session
    }
}

extension Trainer {
    /// A trainer with an ordinary optimizer: gradients are clipped as they are.
    ///
    /// Throws ``TrainingError/outOfRange(name:value:allowed:)`` for options out of range.
    public init<Base: GradientTransformation>(
        plan: PrivacyPlan, model: Model, optimizer: Base, options: TrainingOptions = TrainingOptions(),
        augmentation: (any Augmentation)? = nil, ranks: Ranks? = nil
    ) throws(TrainingError) where Optimizer == IdentityAugmented<Base> {
        try self.init(
            plan: plan, model: model, optimizer: IdentityAugmented(optimizer), options: options,
            augmentation: augmentation, ranks: ranks)
    }
}
