import ArgumentParser
import CommandLineSupport
import PrivacyAccounting
import PrivateTraining

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "The noise multiplier, number of steps or sampling probability that a budget allows.",
        discussion: "Give two of --noise-multiplier, --sampling-probability and --iterations; the third is found.")

    @Option(help: "Target ε, above 0.")
    var epsilon: Double

    @Option(help: "Target δ, in [0, 1).")
    var delta: Double

    @Option(help: "Noise standard deviation over clip norm, at least 0.")
    var noiseMultiplier: Double?

    @Option(help: "Chance of each example to be in a batch, in [0, 1].")
    var samplingProbability: Double?

    @Option(help: "Number of steps, at least 1.")
    var iterations: Int?

    @Option(help: "The accountant: pld is tight, rdp asks for more noise.")
    var accountant: PlanAccountant = .pld

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        let given = [noiseMultiplier != nil, samplingProbability != nil, iterations != nil].count { $0 }
        guard given == 2 else {
            throw ValidationError(
                "\(given) of --noise-multiplier, --sampling-probability and --iterations were given, but exactly 2 "
                    + "are needed: leave out the one to be found.")
        }
    }

    func run() throws {
        let judge = try shared.make(accountant)
        try Row.show([calibrated(judge).row(by: judge)], as: shared.format)
    }

    private func calibrated(_ accountant: any PrivacyAccountant) throws -> Setting {
        let calibration = try Calibration(accountant, epsilon: epsilon, delta: delta)
        var setting = Setting(
            noiseMultiplier: noiseMultiplier ?? 1, samplingProbability: samplingProbability ?? 1,
            iterations: iterations ?? 1, delta: delta, relation: shared.relation)
        // What was given is checked before the search, so that an error names it and not a trial value.
        _ = try setting.event()
        let known = setting
        if noiseMultiplier == nil {
            setting.noiseMultiplier = try calibration.noiseMultiplier { z throws(AccountingError) in
                var trial = known
                trial.noiseMultiplier = z
                return try trial.event()
            }
        } else if samplingProbability == nil {
            setting.samplingProbability = try calibration.samplingProbability { q throws(AccountingError) in
                var trial = known
                trial.samplingProbability = q
                return try trial.event()
            }
        } else {
            setting.iterations = try calibration.iterations { count throws(AccountingError) in
                var trial = known
                trial.iterations = count
                return try trial.event()
            }
        }
        return setting
    }
}
