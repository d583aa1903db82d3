import ArgumentParser
import CommandLineSupport
import LinearAlgebra

@main
struct DPBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dpbench",
        abstract: "Measures how fast gradients are privatized, against what the machine allows.",
        discussion: """
            Every figure is the median of several runs, taken in turn with what it is compared to, so that a machine \
            that slows down slows down all of them.
            """,
        subcommands: [
            PipelineCommand.self, NoiseCommand.self, ScalingCommand.self, OptimizersCommand.self, StepCommand.self,
            DenseStepCommand.self, CorrelatedCommand.self, RanksCommand.self, AccountingCommand.self,
        ],
        defaultSubcommand: PipelineCommand.self)
}

extension OutputFormat: ExpressibleByArgument {}

/// What all measurements ask of their user.
struct MeasurementOptions: ParsableArguments {
    @Option(help: "Threads to compute with (default: one per processor).")
    var threads: Int?

    @Option(help: "Runs of each measurement; the median is shown.")
    var runs = 7

    @Option(help: "table, or json: one object per line.")
    var format = OutputFormat.table

    @Option(help: ArgumentHelp("Also draw the result.", valueName: "FILE.svg"))
    var plot: String?

    func validate() throws {
        try Self.requirePositive("--runs", runs)
        if let threads { try Self.requirePositive("--threads", threads) }
    }

    /// Sets the number of threads and returns it.
    func applyThreads() -> Int {
        if let threads { Threads.limit = threads }
        return Threads.limit
    }

    /// Prints the records, and draws them where that was asked for.
    func show<Record: Encodable>(
        _ records: [Record], heading: String? = nil, columns: [RecordTable<Record>.Column], plot picture: () -> String
    ) throws {
        try RecordTable(records, heading: heading, columns: columns).print(as: format)
        if let plot { try writeFile(picture(), to: plot) }
    }

    static func requirePositive(_ name: String, _ value: Int) throws {
        guard value >= 1 else {
            throw ValidationError(
                CommandLineError.invalidOption(name: name, value: "\(value)", allowed: "1 or more").description)
        }
    }
}
