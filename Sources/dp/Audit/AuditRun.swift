import CommandLineSupport
import GradientTransformations
import Logging
import PrivacyAuditing
import PrivacyMechanisms
import PrivateTraining

/// A run of `dp audit`: trains what `dp train` would, with canaries among the examples, and compares what can be
/// learned of them with what the plan promises. It keeps nothing.
struct AuditRun {
    let configuration: TrainingConfiguration
    /// The run whose parameters training may begin from; it is only read.
    let folder: RunFolder?
    let request: AuditRequest
    let format: OutputFormat

    /// Throws ``AuditStopped`` after Ctrl-C, and ``UsageError`` for what cannot be audited.
    func result() throws -> AuditResult {
        let begin = ContinuousClock.now
        let progress = ProgressLine()
        defer { progress.clear() }
        progress.show("reading the data")
        var parts = try TrainingParts(configuration, configuration.loadData(), folder: folder)
        let planned = configuration.plan.exampleCount ?? configuration.plan.sampling?.exampleCount
        let canaryCount = try request.canaryCount(parameterCount: parts.model.layout.count, planned: planned)
        progress.show("making the plan")
        let plan = try parts.makePlan(
            exampleCount: planned ?? parts.training.count + canaryCount, fitter: StrategyFitter(file: nil))
        do {
            let scores = try parts.withOptimizer(for: plan) { parts in
                progress.clear()
                parts.given?.notes.forEach(note)
                var briefing = parts.briefing(on: plan)
                briefing.opening = opening(exampleCount: parts.training.count, canaryCount, plan)
                briefing.show(as: format)
                return AuditSession(
                    request: request, plan: plan, canaryCount: canaryCount, configuration: parts.configuration,
                    model: parts.model, given: parts.given?.parameters, training: parts.training, progress: progress)
            }
            progress.show("computing bounds")
            let report = try AuditReport(
                request.audit(of: plan, canaryCount: canaryCount, run: 0), scores, statistic: request.statistic,
                confidence: request.confidence, threshold: request.threshold)
            return AuditResult(
                report: report, scores: scores, request: request, modelName: parts.configuration.modelName,
                seconds: begin.duration(to: .now) / .seconds(1))
        } catch let error as AuditingError {
            throw UsageError(problems: [error.description])
        }
    }

    private func opening(exampleCount: Int, _ canaryCount: Int, _ plan: PrivacyPlan) -> String {
        let ordinary = plan.sampling.exampleCount - canaryCount
        let places = ordinary < exampleCount ? ", which take the places of the last of \(grouped(exampleCount))" : ""
        let runs = request.runs == 1 ? "" : ", in each of \(request.runs) runs"
        return "Auditing with \(grouped(ordinary)) examples and \(grouped(canaryCount)) canaries "
            + "(\(request.kind.name))\(places)\(runs)."
    }
}

/// An audit that was ended before it came to anything.
struct AuditStopped: Error, CustomStringConvertible {
    let steps: Int

    var description: String {
        "Stopped after \(steps) steps: an audit that did not end says nothing, and nothing was kept."
    }
}

extension AuditRequest {
    /// The audit of one of the runs, counted from 0.
    func audit(of plan: PrivacyPlan, canaryCount: Int, run: Int) throws -> PrivacyAudit {
        try PrivacyAudit(
            plan, canaryCount: canaryCount, kind: kind, nonPrivateSeed: nonPrivateSeed.map { $0 &+ UInt64(run) })
    }
}

extension CanaryKind {
    /// What is said of it.
    var name: String {
        switch self {
        case .label: "wrong labels"
        case .gradient(let directions, let scoring):
            "gradients, \(directions.rawValue)" + (scoring == .likelihoodRatio ? "" : ", \(scoring.rawValue)")
        }
    }
}

/// Everything but the optimizer's type.
private struct AuditSession: OptimizerVisitor {
    let request: AuditRequest
    let plan: PrivacyPlan
    let canaryCount: Int
    let configuration: TrainingConfiguration
    let model: FrozenModel<Network>
    let given: ParameterVector?
    let training: any Dataset
    let progress: ProgressLine

    /// The scores of all runs together.
    func visit<Optimizer: AugmentedGradientTransformation>(_ optimizer: Optimizer) throws -> CanaryScores {
        Interruption.watch(.audit)
        let interval = configuration.evaluationInterval ?? max(1, plan.iterations / 20)
        let logger =
            progress.isTerminal ? nil : Logger(label: "dp") { StreamLogHandler.standardError(label: $0) }
        var (included, excluded) = ([Double](), [Double]())
        for run in 0..<request.runs {
            var display = TrainingDisplay(
                progress, plan: plan, name: request.runs == 1 ? nil : "run \(run + 1) of \(request.runs)")
            let audit = try request.audit(of: plan, canaryCount: canaryCount, run: run)
            let scores = try audit.scores(
                of: model, on: training, from: given.map(model.mask.selected(from:)), optimizer: optimizer,
                options: configuration.options
            ) { step in
                if Interruption.isRequested { throw AuditStopped(steps: run * plan.iterations + step) }
                display.show(step)
                if step % interval == 0 { logger?.info("audit", metadata: ["run": "\(run + 1)", "step": "\(step)"]) }
            }
            included += scores.included
            excluded += scores.excluded
        }
        return try CanaryScores(included: included, excluded: excluded)
    }
}
