import CommandLineSupport
import Foundation
import GradientTransformations
import Logging
import PrivacyMechanisms
import PrivateTraining
import Requirements

/// A run of `dp train`: reads the data, chooses what was left open, trains, and writes what came of it.
struct TrainingRun {
    let configuration: TrainingConfiguration
    let folder: RunFolder?
    let format: OutputFormat
    let fitter: StrategyFitter

    init(_ configuration: TrainingConfiguration, folder: RunFolder?, format: OutputFormat, fitter: StrategyFitter) {
        self.configuration = configuration
        self.folder = folder
        self.format = format
        self.fitter = fitter
    }

    func run() throws {
        try folder?.checkName()
        let begin = ContinuousClock.now
        let progress = ProgressLine()
        progress.show("reading the data")
        var configuration = configuration
        let data = try configuration.data.load(owners: configuration.users?.owners)
        let targets = try data.firstTargets
        var defaults = TrainingDefaults(
            exampleCount: data.training.count, userCount: data.owners.map { Set($0).count },
            classCount: targets.classCount, imageShape: data.imageShape)
        defaults.chooseModel(of: &configuration)
        let training = try mapped(data.training, by: configuration.features)
        let test = try data.test.map { try mapped($0, by: configuration.features) }

        progress.show("making the plan")
        defaults.choosePlan(of: &configuration)
        // A run that goes on has them in its sampling.
        if let users = configuration.users, let owners = data.owners, configuration.plan.sampling == nil {
            try configuration.plan.protectUsers(users, owners: owners)
        }
        let plan = try configuration.plan.plan(exampleCount: training.count, fit: fitter.strategy(for:goal:))
        configuration.plan = plan.request
        try plan.normalization?.check(featureCount: training.featureCount)
        guard plan.initialClippingRule.sensitivity(for: .addOrRemoveOne) > 0 else {
            throw TrainingConfigurationError.clipsEverything
        }
        if let scaling = configuration.optimizer?.scaleThenPrivatize,
            !plan.allowsTransforms(changingEvery: scaling.refreshEvery ?? 1)
        {
            throw PrivacyMechanismError.sumsChangedUnderStrategy(what: "the same transform")
        }
        let architecture =
            try configuration.architecture
            ?? NetworkArchitecture(
                specification: configuration.model ?? "", featureCount: training.featureCount,
                outputCount: targets.outputCount, vocabulary: data.encoding.text?.vocabulary.count,
                positions: data.positions ?? data.imageShape?[0])
        let network = try Network(architecture)
        for data in [training, test].compactMap(\.self) {
            try network.check(data.examples(at: [0]))
        }
        try configuration.augmentation?.check(featureCount: network.featureCount)
        let given = try givenParameters(for: network)
        let frozen = configuration.frozen ?? []
        let model =
            if let given {
                try network.freezing(frozen, of: given.parameters)
            } else {
                try network.freezing(frozen, ofInitialParameters: configuration.initializationSeed)
            }
        let parameterCount = model.layout.count
        defaults.chooseOptimizer(
            of: &configuration, for: plan, featureCount: network.featureCount, parameterCount: parameterCount)
        guard let optimizer = configuration.optimizer, let rate = optimizer.learningRate else {
            fail("The defaults choose an optimizer and its rate.")
        }
        progress.clear()
        given?.notes.forEach(note)
        if let test = data.test { try data.encoding.schema?.target?.warnOfClamped(in: test) }
        let briefing = TrainingBriefing(
            configuration: configuration, plan: plan, exampleCount: training.count, classCount: targets.classCount,
            testCount: test?.count, parameterCount: parameterCount, choices: defaults.choices)
        let session = Session(
            configuration: configuration, briefing: briefing, format: format,
            description: RunFolder.Model(
                architecture: architecture, features: configuration.features, encoding: data.encoding),
            folder: folder, plan: plan, model: model, given: given?.parameters, training: training, test: test,
            progress: progress, begin: begin)
        let result = try optimizer.with(steps: plan.iterations, learningRate: rate, session)
        progress.clear()
        try result.show(as: format, output: folder?.url.path)
    }

    /// What training is to begin from; nil for the network's own initial parameters. A run that goes on has them in its
    /// folder: frozen ones stand in no checkpoint, and the file that they came from may have changed.
    private func givenParameters(for network: Network) throws -> GivenParameters? {
        guard configuration.initial != nil else { return nil }
        guard let folder, folder.hasRun else { return try GivenParameters(of: configuration, for: network) }
        let kept = folder.path(RunFolder.initial)
        if FileManager.default.fileExists(atPath: kept) {
            return GivenParameters(parameters: try network.read(kept), notes: [])
        }
        if folder.hasCheckpoints { throw TrainingConfigurationError.missingInitial(path: kept) }
        return try GivenParameters(of: configuration, for: network)
    }

    private func mapped(_ data: any Dataset, by features: FeatureConfiguration?) throws -> any Dataset {
        guard let features else { return data }
        return try features.map(data)
    }
}

/// Everything but the optimizer's type.
private struct Session: OptimizerVisitor {
    let configuration: TrainingConfiguration
    let briefing: TrainingBriefing
    let format: OutputFormat
    let description: RunFolder.Model
    let folder: RunFolder?
    let plan: PrivacyPlan
    let model: FrozenModel<Network>
    let given: ParameterVector?
    let training: any Dataset
    let test: (any Dataset)?
    let progress: ProgressLine
    let begin: ContinuousClock.Instant

    func visit<Optimizer: AugmentedGradientTransformation>(_ optimizer: Optimizer) throws -> TrainingResult {
        let trainer = try Trainer(
            plan: plan, model: model, optimizer: optimizer, options: configuration.options,
            augmentation: configuration.augmentation)
        let checkpoints = try folder.map {
            try CheckpointFolder<Optimizer>(
                $0.checkpoints, interval: configuration.checkpointInterval ?? max(1, plan.iterations / 20))
        }
        var display = TrainingDisplay(progress, plan: plan)
        var metrics: [MetricsRecord] = []
        var isFirst = true
        try trainer.checkFit()
        Interruption.watch(keepsCheckpoints: folder != nil)
        // Not earlier: a run that cannot begin leaves nothing behind.
        try folder?.begin(configuration, description)
        if let folder, let given { try SafeTensors.write(given, to: folder.path(RunFolder.initial)) }
        briefing.show(as: format)
        let outcome = try trainer.fit(
            training, from: given.map(model.mask.selected(from:)), evaluatingOn: test, checkpoints: checkpoints,
            logger: progress.isTerminal ? nil : Logger(label: "dp") { StreamLogHandler.standardError(label: $0) }
        ) { step in
            if isFirst, let folder {
                // What an earlier part of the run wrote, without steps that were lost.
                metrics = try folder.metrics(upTo: step.step - 1)
                try folder.write(metrics)
            }
            isFirst = false
            if step.isReportDue {
                let record = try MetricsRecord(step, description)
                metrics.append(record)
                display.show(record)
                try folder?.write(metrics)
            }
            display.show(step.step)
            return Interruption.isRequested ? .stop : .proceed
        }
        let result = TrainingResult(record: record(of: outcome), report: outcome.report.text)
        if let folder {
            var description = description
            description.normalization = outcome.normalization
            try folder.write(description, to: "model.json")
            try SafeTensors.write(model.whole(outcome.parameters), to: folder.path("model.safetensors"))
            try folder.write(outcome.report, to: "report.json")
            try folder.write(outcome.report.text + "\n", to: "report.txt")
            let page = TrainingPage(
                configuration: configuration, result: result, metrics: metrics)
            try folder.write(page.html, to: "index.html")
            // Last: where it stands, everything else does.
            try folder.write(result.record, to: "result.json")
        }
        return result
    }

    private func record(of outcome: TrainingOutcome<ParameterVector>) -> TrainingResult.Record {
        let evaluation = outcome.evaluation.map(description.inUnits)
        return TrainingResult.Record(
            testAccuracy: evaluation?.accuracy, testLoss: evaluation?.loss,
            testRootMeanSquaredError: evaluation?.rootMeanSquaredError, testRSquared: evaluation?.rSquared,
            epsilon: outcome.report.guarantees[0].epsilon ?? .infinity,
            plannedEpsilon: outcome.report.plannedEpsilon ?? .infinity, delta: plan.delta,
            noiseMultiplier: plan.noiseMultiplier, steps: outcome.stepsTaken, plannedSteps: plan.iterations,
            isFinished: outcome.stepsTaken == plan.iterations, seconds: begin.duration(to: .now) / .seconds(1),
            secondsInSteps: outcome.time.steps, secondsInEvaluations: outcome.time.evaluation,
            secondsInCheckpoints: outcome.time.checkpoints)
    }
}
