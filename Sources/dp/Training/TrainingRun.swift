import CommandLineSupport
import GradientTransformations
import Logging
import PrivacyMechanisms
import PrivateTraining

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
        // Where one rank cannot, none does.
        var data = try Launch.together(configuration.loadData)
        if let shards = configuration.data.shards, let ranks = Launch.ranks { try data.takePart(shards, of: ranks) }
        progress.show("making the plan")
        var parts = try TrainingParts(configuration, data, folder: folder, ranks: Launch.ranks)
        let plan = try Launch.together { try parts.makePlan(exampleCount: data.exampleCount, fitter: fitter) }
        let result = try parts.withOptimizer(for: plan) { parts in
            progress.clear()
            parts.given?.notes.forEach(note)
            if let test = parts.data.test { try parts.data.encoding.schema?.target?.warnOfClamped(in: test) }
            return Session(
                configuration: parts.configuration, briefing: parts.briefing(on: plan), format: format,
                description: RunFolder.Model(
                    architecture: parts.architecture, features: parts.configuration.features,
                    encoding: parts.data.encoding),
                folder: folder, plan: plan, model: parts.model, given: parts.given?.parameters,
                training: parts.training, test: parts.test, progress: progress, begin: begin)
        }
        progress.clear()
        try result.show(as: format, output: folder?.url.path)
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
        let holdsPart = configuration.data.shards != nil
        let trainer = try Trainer(
            plan: plan, model: model, optimizer: optimizer, options: configuration.options,
            augmentation: configuration.augmentation,
            ranks: holdsPart ? Launch.ranks?.holdingPart(of: training.count) : Launch.ranks)
        // Every rank reads checkpoints; what is written, rank 0 writes.
        let folder = Launch.ranks.isFirst ? folder : nil
        let checkpoints = try self.folder.map {
            try CheckpointFolder<Optimizer>(
                $0.checkpoints, interval: configuration.checkpointInterval ?? max(1, plan.iterations / 20))
        }
        var display = TrainingDisplay(progress, plan: plan)
        var metrics: [MetricsRecord] = []
        var isFirst = true
        try trainer.checkFit()
        Interruption.watch(folder == nil ? .model : .stepsSinceCheckpoint)
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
