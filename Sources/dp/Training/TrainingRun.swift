import CommandLineSupport
import Foundation
import GradientTransformations
import Logging
import PrivacyMechanisms
import PrivateTraining

/// A run of `dp train`: reads the data, trains, and writes what came of it.
struct TrainingRun {
    let configuration: TrainingConfiguration
    let folder: RunFolder?
    let format: OutputFormat

    init(_ configuration: TrainingConfiguration, folder: RunFolder?, format: OutputFormat) {
        self.configuration = configuration
        self.folder = folder
        self.format = format
    }

    func run() throws {
        let begin = ContinuousClock.now
        let progress = ProgressLine()
        progress.show("reading the data")
        let data = try configuration.data.load()
        let training = try mapped(data.training)
        let test = try data.test.map(mapped)
        progress.show("making the plan")
        var resolved = configuration
        let plan = try configuration.plan.plan(exampleCount: training.count)
        resolved.plan = plan.request
        guard plan.initialClippingRule.sensitivity(for: .addOrRemoveOne) > 0 else {
            throw TrainingConfigurationError.clipsEverything
        }
        let architecture = try NetworkArchitecture(
            specification: configuration.model, featureCount: training.featureCount,
            outputCount: training.targets.outputCount)
        let network = try Network(architecture)
        for examples in [training, test].compactMap(\.self) {
            try network.check(featureCount: examples.featureCount, targets: examples.targets)
        }
        let session = Session(
            configuration: resolved,
            description: RunFolder.Model(
                architecture: architecture, features: configuration.features, schema: data.schema),
            folder: folder, plan: plan, network: network, training: training, test: test, progress: progress,
            begin: begin)
        let result = try configuration.optimizer.with(steps: plan.iterations, session)
        progress.clear()
        try show(result)
    }

    private func mapped(_ data: InMemoryDataset) throws -> InMemoryDataset {
        guard let features = configuration.features else { return data }
        return try features.map(data)
    }

    private func show(_ result: TrainingResult) throws {
        if format == .json { return try printJSONLine(result.record) }
        print(result.report.text)
        print("")
        if let accuracy = result.record.testAccuracy { print("test accuracy  \(Percent.text(accuracy))") }
        if let error = result.record.testRootMeanSquaredError { print("test RMSE      \(Decimals.text(error))") }
        if let share = result.record.testRSquared { print("test R²        \(Decimals.text(share))") }
        if let loss = result.record.testLoss { print("test loss      \(String(format: "%.4f", loss))") }
        print("seconds        \(String(format: "%.1f", result.record.seconds))")
        if let folder {
            print("written to     \(folder.url.path)")
        } else {
            print("The model was not kept: give --output to keep it.")
        }
        if !result.record.isFinished {
            print("Stopped after \(result.record.steps) of \(result.record.plannedSteps) steps; --resume goes on.")
        }
    }
}

/// What a run came to.
struct TrainingResult {
    let record: Record
    let report: PrivacyReport

    /// The last line of `--format json`.
    struct Record: Codable {
        let testAccuracy: Double?
        let testLoss: Double?
        /// In the units of the data's file.
        let testRootMeanSquaredError: Double?
        let testRSquared: Double?
        let epsilon: Double?
        /// Of all planned steps: what holds if results decided when to stop.
        let plannedEpsilon: Double?
        let delta: Double
        let noiseMultiplier: Double
        let steps: Int
        let plannedSteps: Int
        let isFinished: Bool
        let seconds: Double
        let output: String?
    }
}

/// Shares as people read them.
enum Percent {
    static func text(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
}

/// Numbers of any size as people read them.
enum Decimals {
    static func text(_ number: Double) -> String { String(format: "%.4g", number) }
}

/// Everything but the optimizer's type.
private struct Session: OptimizerVisitor {
    let configuration: TrainingConfiguration
    let description: RunFolder.Model
    let folder: RunFolder?
    let plan: PrivacyPlan
    let network: Network
    let training: InMemoryDataset
    let test: InMemoryDataset?
    let progress: ProgressLine
    let begin: ContinuousClock.Instant

    func visit<Optimizer: AugmentedGradientTransformation>(_ optimizer: Optimizer) throws -> TrainingResult {
        let trainer = try Trainer(
            plan: plan, model: network, optimizer: optimizer,
            options: configuration.options(iterations: plan.iterations))
        let checkpoints = try folder.map {
            try CheckpointFolder<Optimizer>(
                $0.checkpoints, interval: configuration.checkpointInterval ?? max(1, plan.iterations / 20))
        }
        var display = TrainingDisplay(progress, plan: plan)
        var metrics: [MetricsRecord] = []
        var isFirst = true
        Interruption.watch()
        // Not earlier: a run that cannot begin leaves nothing behind.
        try folder?.begin(configuration, description)
        let outcome = try trainer.fit(
            training, evaluatingOn: test, checkpoints: checkpoints,
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
        let result = TrainingResult(
            record: record(of: outcome), report: outcome.report)
        if let folder {
            try SafeTensors.write(outcome.parameters, to: folder.path("model.safetensors"))
            try folder.write(outcome.report, to: "report.json")
            try folder.write(outcome.report.text + "\n", to: "report.txt")
            let page = TrainingPage(
                configuration: configuration, result: result, metrics: metrics)
            try folder.write(page.html, to: "index.html")
        }
        return result
    }

    private func record(of outcome: TrainingOutcome<ParameterVector>) -> TrainingResult.Record {
        let evaluation = outcome.evaluation.map(description.inUnits)
        return TrainingResult.Record(
            testAccuracy: evaluation?.accuracy, testLoss: evaluation?.loss,
            testRootMeanSquaredError: evaluation?.rootMeanSquaredError, testRSquared: evaluation?.rSquared,
            epsilon: outcome.report.guarantees.first?.epsilon, plannedEpsilon: outcome.report.plannedEpsilon,
            delta: plan.delta,
            noiseMultiplier: plan.noiseMultiplier, steps: outcome.stepsTaken, plannedSteps: plan.iterations,
            isFinished: outcome.stepsTaken == plan.iterations, seconds: begin.duration(to: .now) / .seconds(1),
            output: folder?.url.path)
    }
}
