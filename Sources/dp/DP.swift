import ArgumentParser

/// `dp`: what a training run costs in privacy, and what a budget asks for.
@main
struct DP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dp",
        abstract: "Differential privacy on the command line: what a run costs, and what a budget asks for.",
        subcommands: [TrainCommand.self, EvaluateCommand.self, PredictCommand.self, PlanCommand.self, EpsilonCommand.self, CalibrateCommand.self])
}
