import ArgumentParser
import PrivacyAccounting
import Requirements

/// How an answer is found by chance, where no closed form is known: δ of balls in bins under correlated noise.
struct SimulationOptions: ParsableArguments {
    @Option(
        parsing: .unconditionalSingleValue,
        help: """
            The strategy's coefficients c₀, c₁, …, with commas between. z is over one contribution, whatever they are. \
            (simulation; default: 1, for independent noise)
            """)
    var coefficients: [String] = []

    @Option(
        parsing: .unconditional,
        help: "How many losses of each direction are drawn: several times 1/δ. (simulation; default: 100000)")
    var samples: Given<Int>?

    @Option(
        parsing: .unconditional,
        help: "The probability with which all answers together hold. (simulation; default: 0.999)")
    var confidence: Given<Double>?

    /// The options' values.
    struct Checked {
        let coefficients: [Double]
        let samples: Int
        let confidence: Double
    }

    /// The values. What is wrong with them is noted, and those of them that are given although nothing is simulated.
    func checked(_ check: inout UsageCheck, isAsked: Bool) -> Checked {
        let coefficients = check.numbers(coefficients, "--coefficients", .notNegative)
        let samples = check.number(samples, "--samples", .atLeast(2))
        let confidence = check.number(confidence, "--confidence", .probability)
        if let confidence, confidence <= 0 || confidence >= 1 {
            check.add("--confidence is \(confidence), but must be above 0 and below 1.")
        }
        if let first = coefficients.first, first == 0 {
            check.add("--coefficients begins with 0, but c₀ must be above 0.")
        }
        if !isAsked {
            for (flag, isGiven) in [
                ("--coefficients", !self.coefficients.isEmpty), ("--samples", self.samples != nil),
                ("--confidence", self.confidence != nil),
            ] where isGiven {
                check.add("\(flag) belongs to --accountant simulation.")
            }
        }
        return Checked(
            coefficients: coefficients.isEmpty ? [1] : coefficients, samples: samples ?? 100_000,
            confidence: confidence ?? 0.999)
    }
}

extension SimulationOptions.Checked {
    /// Notes why `setting` cannot be simulated, or `epsilons` not be asked about.
    static func refuse(
        _ setting: AccountedSetting?, epsilons: Bool, charts: ChartOptions, _ check: inout UsageCheck
    ) {
        if !epsilons { check.add("--accountant simulation answers δ for ε: give --epsilon in the place of --delta.") }
        if charts.plot != nil || charts.tradeOff != nil {
            check.add("--accountant simulation draws no charts: leave --plot and --trade-off out.")
        }
        guard let setting else { return }
        if setting.sampler.kind != "balls-in-bins" || setting.numbers["isRedrawnEachEpoch"] == .flag(true) {
            check.add(
                "--accountant simulation knows balls in bins that stay for the whole run: give --sampling "
                    + "balls-in-bins without --redrawn, or ask pld, which needs no simulation.")
        }
        if setting.relation == .replaceOne {
            check.add("--relation is replace-one, but a simulation answers add-or-remove-one and replace-special.")
        }
    }

    /// A row for each ε. All of them together hold with the confidence.
    func rows(_ epsilons: [Double], of setting: AccountedSetting) throws -> [AccountingRow] {
        guard case .integer(let bins)? = setting.numbers["bins"] else { fail("Balls in bins have bins.") }
        let run = try SimulatedRun.ballsInBins(
            iterations: setting.iterations, bins: bins, coefficients: coefficients,
            noiseMultiplier: setting.noiseMultiplier)
        let each = 1 - (1 - confidence) / Double(epsilons.count)
        return try epsilons.map { epsilon in
            let found = try run.delta(epsilon: epsilon, confidence: each, sampleCount: samples)
            return AccountingRow(found, of: setting, by: self)
        }
    }
}
