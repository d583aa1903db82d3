import ArgumentParser
import CommandLineSupport
import PrivacyAccounting
import PrivateTraining
import Requirements

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "The noise multiplier, number of steps or sampling probability that a budget allows.",
        discussion: "Give two of --noise-multiplier, --sampling-probability and --iterations; the third is found.")

    @Option(parsing: .unconditional, help: "Target ε, above 0.")
    var epsilon: Given<Double>?

    @Option(parsing: .unconditional, help: "Target δ, in [0, 1).")
    var delta: Given<Double>?

    @Option(parsing: .unconditional, help: "Noise standard deviation over clip norm, at least 0.")
    var noiseMultiplier: Given<Double>?

    @Option(parsing: .unconditional, help: "Chance of each example to be in a batch, in [0, 1], such as 256/60000.")
    var samplingProbability: Given<Double>?

    @Option(parsing: .unconditional, help: "Number of steps, at least 1.")
    var iterations: Given<Int>?

    @Option(
        parsing: .unconditional, help: "The accountant: pld is tight, rdp asks for more noise. (default: pld)")
    var accountant: Given<PlanAccountant>?

    @OptionGroup var shared: SharedOptions

    /// What is given: two of the three numbers.
    private struct Target {
        let epsilon: Double
        let delta: Double
        let noiseMultiplier: Double?
        let samplingProbability: Double?
        let iterations: Int?
        let relation: NeighboringRelation
    }

    func run() throws {
        var check = UsageCheck()
        let options = shared.checked(&check, of: Self.self)
        let choice = check.value(accountant, "--accountant") ?? .pld
        let epsilon = check.required(epsilon, "--epsilon", .positive, "the target ε")
        let delta = check.required(delta, "--delta", .belowOne, "far below one over the number of examples")
        let z = check.number(noiseMultiplier, "--noise-multiplier", .notNegative)
        let q = check.number(samplingProbability, "--sampling-probability", .probability)
        let steps = check.number(iterations, "--iterations", .atLeast(1))
        let given = [noiseMultiplier != nil, samplingProbability != nil, iterations != nil].count { $0 }
        if given != 2 {
            check.add(
                "\(given) of --noise-multiplier, --sampling-probability and --iterations were given, but exactly 2 "
                    + "are needed: leave out the one to be found.")
        }
        try check.finish()
        guard let epsilon, let delta else { fail("What is missing was refused.") }
        let judge = try options.make(choice)
        let setting = try calibrated(
            Target(
                epsilon: epsilon, delta: delta, noiseMultiplier: z, samplingProbability: q, iterations: steps,
                relation: options.relation), judge)
        try Row.show([setting.row(by: judge)], as: options.format)
        if let plot = shared.plot { try setting.curve(by: [judge]).write(to: plot) }
    }

    private func calibrated(_ target: Target, _ accountant: any PrivacyAccountant) throws -> DPSGD {
        let calibration = try Calibration(accountant, epsilon: target.epsilon, delta: target.delta)
        var setting = DPSGD(
            noiseMultiplier: target.noiseMultiplier ?? 1, samplingProbability: target.samplingProbability ?? 1,
            iterations: target.iterations ?? 1, delta: target.delta, relation: target.relation)
        // What was given is checked before the search, so that an error names it and not a trial value.
        _ = try setting.event()
        let known = setting
        if target.noiseMultiplier == nil {
            setting.noiseMultiplier = try calibration.noiseMultiplier { z throws(AccountingError) in
                var trial = known
                trial.noiseMultiplier = z
                return try trial.event()
            }
        } else if target.samplingProbability == nil {
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
