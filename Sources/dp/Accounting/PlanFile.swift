import Foundation
import PrivateTraining

/// A file with a plan, or with a configuration that has one; "-" is standard input.
struct PlanFile {
    private let settings: Settings
    private let path: String

    /// Reads it. Throws `FileError` and `TrainingConfigurationError`, which name it.
    ///
    /// - Parameter noise: how sums are made private, in the place of what the file says.
    init(_ path: String, noise: NoiseOptions? = nil) throws {
        self.path = path
        var settings = try Settings(file: path) { $0["plan"] == nil ? Formats.plan : Formats.configuration }
        if let noise { settings.setNoise(noise, in: settings["plan"] == nil ? "" : "plan.") }
        self.settings = settings
    }

    /// The plan, with its strategy by `fitter`. Throws ``UsageError`` with everything that is wrong with the file, and
    /// what making the plan throws.
    func plan(_ fitter: StrategyFitter) throws -> PrivacyPlan {
        do {
            return try request().plan(fit: fitter.strategy(for:goal:))
        } catch {
            throw settings.usage(for: error) ?? error
        }
    }

    private func request() throws -> PlanRequest {
        guard settings["plan"] != nil else { return try settings.decoded(as: Formats.plan) }
        let configuration: TrainingConfiguration = try settings.decoded(as: Formats.configuration)
        guard configuration.plan.lacksSampling else { return configuration.plan }
        // Who owns which example stands apart from what is shown of a run.
        let folder = RunFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        return folder.keepsSamplingApart ? try folder.configuration().plan : configuration.plan
    }
}

extension PrivacyPlan {
    /// ε of the plan's steps, as a line of a chart.
    func line(_ name: String) throws -> PrivacyCurve.Line {
        PrivacyCurve.Line(
            name: name, iterations: iterations, stepsPerEpoch: try sampling.stepsPerEpoch ?? 1
        ) { try epsilon(afterIterations: $0) }
    }

    /// The trade-off curve of all steps, of the noise that the machine adds.
    func tradeOffCurve() throws -> TradeOffCurve {
        try accountant().tradeOffCurve(of: event())
    }
}
