import PrivacyMechanisms
import PrivateTraining

extension TrainCommand {
    /// What the file says, and what the options say beside it.
    ///
    /// Throws `FileError` and `TrainingConfigurationError` for a file that is none; all else is noted.
    func makeSettings(noting check: UsageCheck) throws -> Settings {
        var settings: Settings
        if data.demo {
            settings = try Settings(TrainingConfiguration.demo)
        } else if let config {
            settings = try Settings(file: config) { _ in Formats.configuration }
        } else {
            settings = Settings()
        }
        check.problems.forEach { settings.add($0) }
        settings.refuse(unrecognized.words, of: Self.self, repeatable: Self.repeatable)
        data.add(to: &settings)
        addUsers(to: &settings)
        model.addOptimizer(to: &settings)
        addPlan(to: &settings)
        try model.addModel(to: &settings)
        settings.set("checkpointInterval", to: kept.checkpointInterval)
        settings.set("nonPrivateSeed", to: kept.nonPrivateSeed)
        return settings
    }

    private func addUsers(to settings: inout Settings) {
        if let owners = data.owners { settings.set("users.owners", to: .text(owners)) }
        settings.set("users.examplesPerUser", to: privacy.examplesPerUser)
        guard settings["users"] != nil else { return }
        if settings["data.kind"] == .text("digits") {
            settings.add("\(settings.name(of: "users.owners")): the digits that ship with this program have no owners.")
        }
        if settings["plan.sampling"] != nil, privacy.batch == nil {
            settings.add(
                "\(settings.name(of: "users.owners")) and \(settings.name(of: "plan.sampling")) both say how batches "
                    + "are drawn: leave one out.")
        }
        if settings["plan.unit"] == .text("example") {
            settings.add(
                "\(settings.name(of: "plan.unit")) is 'example', but \(settings.name(of: "users.owners")) asks for a "
                    + "promise to each user: leave one of them out.")
        }
    }

    private func addPlan(to settings: inout Settings) {
        if privacy.clip != nil {
            if settings["plan.clipping.method"] == .text(AdaptiveQuantileClipping.name) {
                settings.remove("plan.clipping")
                settings.addNote("--clip takes the place of the configuration's clip norm that follows a quantile")
            }
            if settings["plan.clipping.method"] == nil {
                settings.complete("plan.clipping.method", with: .text("threshold"))
            }
            settings.set("plan.clipping.l2ClipNorm", to: privacy.clip)
        }
        settings.setNoise(privacy.noise, in: "plan.")
        // What a run wrote down was calibrated for its own steps.
        let changesSteps = [
            privacy.epsilon != nil, privacy.delta != nil, privacy.batch != nil, privacy.iterations != nil,
            privacy.epochs != nil,
        ].contains(true)
        if changesSteps, privacy.noiseMultiplier == nil, settings["plan.epsilon"] != nil {
            settings.remove("plan.noiseMultiplier")
        }
        settings.set("plan.delta", to: privacy.delta)
        if privacy.epsilon != nil, privacy.noiseMultiplier == nil { settings.remove("plan.noiseMultiplier") }
        if privacy.noiseMultiplier != nil, privacy.epsilon == nil, let budget = settings["plan.epsilon"] {
            // Beside a budget on the same line, the noise is checked against it; one from a file is given up, aloud.
            settings.remove("plan.epsilon")
            settings.addNote("--noise-multiplier takes the place of the configuration's budget, ε = \(budget.brief)")
        }
        settings.set("plan.epsilon", to: privacy.epsilon)
        settings.set("plan.noiseMultiplier", to: privacy.noiseMultiplier)
        if privacy.epochs != nil || privacy.iterations != nil {
            settings.remove("plan.epochs")
            settings.remove("plan.iterations")
        }
        settings.set("plan.epochs", to: privacy.epochs)
        settings.set("plan.iterations", to: privacy.iterations)
        if privacy.batch != nil { settings.remove("plan.sampling") }
        settings.set("plan.expectedBatchSize", to: privacy.batch)

        if settings["plan.epsilon"] == nil, settings["plan.noiseMultiplier"] == nil {
            if privacy.epsilon == nil, privacy.noiseMultiplier == nil {
                settings.add(
                    "\(settings.name(of: "plan.epsilon")) is missing: the budget ε, for example 2. "
                        + "Or give the noise with --noise-multiplier.")
            }
        }
        if settings["plan.delta"] == nil, privacy.delta == nil {
            settings.add(
                "\(settings.name(of: "plan.delta")) is missing: far below one over the number of examples, "
                    + "for example 1e-6.")
        }
        for (first, second) in [("plan.epochs", "plan.iterations"), ("plan.expectedBatchSize", "plan.sampling")]
        where settings[first] != nil && settings[second] != nil {
            settings.add(
                "\(settings.name(of: first)) and \(settings.name(of: second)) say the same twice: leave one out."
            )
        }
    }
}
