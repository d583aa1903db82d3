import ArgumentParser

/// `dp`: private training, what it costs in privacy, and what a budget asks for.
@main
struct DP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dp",
        abstract: "Private training on the command line: train, plan, and account.",
        subcommands: [
            TrainCommand.self, EvaluateCommand.self, PredictCommand.self, PlanCommand.self, EpsilonCommand.self,
            CalibrateCommand.self,
        ])
}
