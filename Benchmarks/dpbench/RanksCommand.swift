import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyMechanisms
import PrivateTraining

#if MPI
    import MPICollective
#endif

struct RanksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ranks",
        abstract: "Times training steps of the ranks that mpirun started, and what they send each other.",
        discussion: """
            A step of a perceptron by Adam, of which every rank adds its part of the batch. Built with the trait MPI \
            and started by mpirun it runs on as many ranks, and alone on one: scripts/bench-ranks takes both in turn. \
            The limit of what a rank sends and gets is (8 + 4)·P·(R − 1)/R bytes a step.
            """)

    @OptionGroup var perceptron: PerceptronOptions

    @Option(help: "Examples per batch, of all ranks together.")
    var batch = 256

    @OptionGroup var options: MeasurementOptions

    struct Record: Codable {
        var benchmark = "ranks"
        let ranks: Int
        let params: Int
        /// Of each rank.
        let threads: Int
        let batch: Int
        let seconds: Double
        /// In exchanges with other ranks and waiting for them, of rank 0, a step.
        let secondsExchanging: Double
        /// Sent and received by rank 0, a step.
        let bytes: Int
        /// The bytes over (8 + 4)·P·(R − 1)/R.
        let timesLimit: Double?
    }

    func validate() throws {
        try MeasurementOptions.requirePositive("--batch", batch)
    }

    func run() throws {
        #if MPI
            let launched = Ranks.launched()
        #else
            let launched: Ranks? = nil
        #endif
        let threads = options.applyThreads()
        let counting = launched.map { CountingCollective($0.collective) }
        let (rank, count) = (launched?.rank ?? 0, launched?.count ?? 1)
        guard batch >= count else {
            throw ValidationError(
                CommandLineError.invalidOption(
                    name: "--batch", value: "\(batch)", allowed: "at least the number of ranks, \(count)"
                ).description)
        }
        let share = batch * (rank + 1) / count - batch * rank / count
        let problem = try StepProblem(
            .multilayerPerceptron(dims: perceptron.widths), batch: share, microbatch: share, of: batch)
        let path = try PrivatePath(
            problem, IdentityAugmented(adam(learningRate: 1e-3)), isDense: false, ranks: counting.map { Ranks($0) })
        var traffic: [CountingCollective.Traffic] = []
        let step = {
            try path.step()
            if let counting { traffic.append(counting.takeTraffic()) }
        }
        let measurement = try Measurement(runs: options.runs, inLoop: true, of: [step])
        guard rank == 0 else { return }
        let columns = problem.network.layout.count
        let sorted = traffic.map(\.seconds).sorted()
        let bytes = traffic.map(\.bytes).max() ?? 0
        let limit = 12 * Double(columns) * Double(count - 1) / Double(count)
        let record = Record(
            ranks: count, params: columns, threads: threads, batch: batch, seconds: measurement.median(of: 0),
            secondsExchanging: sorted.isEmpty ? 0 : sorted[sorted.count / 2], bytes: bytes,
            timesLimit: count > 1 ? Double(bytes) / limit : nil)
        try options.show(
            [record], heading: "\(perceptron.name), \(columns) parameters, batch \(batch)",
            columns: [
                .numbers("ranks") { "\($0.ranks)" },
                .numbers("threads of each") { "\($0.threads)" },
                .numbers("seconds") { Format.seconds($0.seconds) },
                .numbers("exchanging") { Format.seconds($0.secondsExchanging) },
                .numbers("MB a step") { Format.decimals(1e-6 * Double($0.bytes), 2) },
                .numbers("× limit") { $0.timesLimit.map { Format.decimals($0, 3) } ?? "" },
            ]
        ) {
            BarChart(
                title: "A training step on ranks", unit: "milliseconds",
                bars: [
                    (
                        name: "\(count) ranks", value: 1000 * record.seconds,
                        label: Format.decimals(1000 * record.seconds, 1)
                    )
                ]
            ).svg
        }
    }
}
