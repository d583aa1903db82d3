import GradientTransformations
import PrivacyMechanisms
import PrivateTraining
import Testing

@testable import dp

@Suite struct SettingsTests {
    /// An error is told under the name of the setting that it is about: both plans and optimizers have an `epsilon`.
    @Test func errorsGoByTheirOwnSetting() throws {
        var settings = Settings()
        settings.set("plan.epsilon", to: Given<Double>(argument: "2"))
        settings.complete("optimizer.epsilon", with: .number(1e-8))
        settings.set("optimizer.learningRate", to: Given<Double>(argument: "0.1"))
        func told(_ error: any Error) -> String? { settings.usage(for: error)?.description }
        let ofOptimizer = GradientTransformationError.invalidHyperparameter(name: "epsilon", value: 0, allowed: "x")
        #expect(told(ofOptimizer) == "'optimizer.epsilon' is 0.0, but must be x.")
        let ofPlan = PlanError.outOfRange(name: "epsilon", value: "0", allowed: "x")
        #expect(told(ofPlan) == "--epsilon is 0, but must be x.")
        let ofRate = GradientTransformationError.invalidHyperparameter(name: "learningRate", value: -1, allowed: "x")
        #expect(told(ofRate) == "--learning-rate is -1.0, but must be x.")
        settings.set("plan.noise.strategy", to: Given<StrategyWord>(argument: "blt:99"))
        let ofStrategy = PrivacyMechanismError.invalidStrategy(name: "buffers", value: "99", allowed: "x")
        #expect(told(ofStrategy) == "--strategy does not fit: buffers is 99, but must be x.")
        // What stands nowhere cannot be blamed.
        #expect(told(PlanError.outOfRange(name: "delta", value: "2", allowed: "x")) == nil)
    }

    /// A file's object may become a part of a larger one; people still find it where it stands.
    @Test func whatIsMovedIsCalledByItsPlaceInTheFile() throws {
        let folder = try WorkFolder()
        try folder.write(#"{"delta": 2, "expectedBatchSize": 3}"#, to: "plan.json")
        let path = folder.url.appending(path: "plan.json").path
        var settings = try Settings(file: path) { _ in Formats.plan }
        settings.move(to: "plan")
        #expect(settings["plan.delta"] == .integer(2) && settings["delta"] == nil)
        #expect(settings.name(of: "plan.expectedBatchSize") == "'expectedBatchSize' in '\(path)'")
        // Where nothing stands, an option is named if the command has it.
        #expect(settings.name(of: "plan.epsilon") == "'epsilon' in '\(path)' (or --epsilon)")
        settings.offerOptions(of: AuditCommand.self)
        #expect(settings.name(of: "plan.epsilon") == "'epsilon' in '\(path)'")
        settings.complete("data.kind", with: .text("digits"))
        let error = #expect(throws: UsageError.self) {
            try settings.decoded(as: Formats.configuration, TrainingConfiguration.self)
        }
        // Once, though the file was checked before it was moved.
        #expect(error?.problems.count == 1 && error?.problems[0].hasPrefix("'delta' in") == true)
    }
}
