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

    @Option(help: "Widths of the layers of a perceptron with ReLU.")
    var dims = "784,1024,10"

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

    func run() throws {
        #if MPI
            let launched = Ranks.launched()
        #else
            let launched: Ranks? = nil
        #endif
        let threads = options.applyThreads()
        let widths = dims.split(separator: ",").compactMap { Int($0) }
        guard widths.count >= 2, widths.allSatisfy({ $0 >= 1 }), batch >= launched?.count ?? 1 else {
            throw ValidationError(
                CommandLineError.invalidOption(
                    name: "--dims", value: dims, allowed: "at least two widths of 1 or more, such as 784,1024,10"
                ).description)
        }
        let counting = launched.map { CountingCollective($0.collective) }
        let (rank, count) = (launched?.rank ?? 0, launched?.count ?? 1)
        // The examples of this rank alone, but the divisor of all.
        let share = batch * (rank + 1) / count - batch * rank / count
        let problem = try StepProblem(.multilayerPerceptron(dims: widths), batch: share, microbatch: share)
        let clipping = try ClippingRule.flat(l2ClipNorm: 1, normalizeBy: Double(batch))
        let optimizer = IdentityAugmented(try adam(learningRate: 1e-3))
        var parameters = problem.parameters
        var state = try optimizer.initialState(for: parameters)
        var workspace = problem.network.makeWorkspace()
        var stepWorkspace = StepWorkspace(ranks: counting.map { Ranks($0) })
        var noise = Noise(.discreteGaussian)
        var traffic: [CountingCollective.Traffic] = []
        let measurement = try Measurement(
            runs: options.runs, inLoop: true,
            of: [
                {
                    let gradients = problem.network.gradients(
                        of: problem.examples, at: parameters, workspace: &workspace)
                    try optimizer.privateStep(
                        on: gradients, state: &state, parameters: &parameters, clipping: clipping,
                        noiseMultiplier: problem.noiseMultiplier, noise: &noise, workspace: &stepWorkspace)
                    if let counting { traffic.append(counting.takeTraffic()) }
                }
            ])
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
            [record], heading: "mlp:\(dims), \(columns) parameters, batch \(batch)",
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
