import ArgumentParser
import CommandLineSupport
import PrivacyAccounting
import PrivateTraining

extension NeighboringRelation: OptionValue {}
extension PlanAccountant: OptionValue {}

/// Which neighbours are compared, how answers are printed, and what is drawn.
struct SharedOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Which neighbouring data sets are compared. (default: add-or-remove-one, or what the sampler allows first \
            of replace-one and replace-special)
            """)
    var relation: Given<NeighboringRelation>?

    @Option(parsing: .unconditional, help: "How to print. (default: table)")
    var format: Given<OutputFormat>?

    @OptionGroup var charts: ChartOptions
}

/// What is drawn.
struct ChartOptions: ParsableArguments {
    @Option(help: "Draw what is asked for over the steps into this SVG file.", completion: .file(extensions: ["svg"]))
    var plot: String?

    @Option(
        help: "Draw the trade-off curve, the least type II error of any test, into this SVG file.",
        completion: .file(extensions: ["svg"]))
    var tradeOff: String?
}
