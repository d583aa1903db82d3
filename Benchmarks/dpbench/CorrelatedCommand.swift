import ArgumentParser
import CommandLineSupport
import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

struct CorrelatedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correlated",
        abstract: "Times noise that is correlated over steps, beside independent noise; or the fits of strategies.",
        discussion: """
            A step noises an exact sum of --params columns, on one thread and on all: integers in, Float32 out. \
            Banded inverses draw their past noise again from its place in the stream (regenerated), or keep it \
            (buffered). With --fits, strategies are fitted for prefix sums and one participation instead.
            """)

    @Option(help: "Columns of the sum.")
    var params = 4_000_000

    @Flag(help: "Time fits of dense strategies of 128 to 2,048 steps, and of others of 100,000.")
    var fits = false

    @OptionGroup var options: MeasurementOptions

    struct Record: Codable {
        var benchmark = "correlated"
        let strategy: String
        let terms: Int
        let storage: String
        let params: Int
        let threads: Int
        let nanosecondsPerParameter: Double
        let timesIID: Double
    }

    struct FitRecord: Codable {
        var benchmark = "correlated-fit"
        let strategy: String
        let terms: Int
        let steps: Int
        let seconds: Double
        let rootLoss: Double
    }

    func validate() throws {
        try MeasurementOptions.requirePositive("--params", params)
    }

    func run() throws {
        let threads = options.applyThreads()
        if fits { return try showFits() }
        try show(try records(threads: threads))
    }

    private func records(threads: Int) throws -> [Record] {
        let progress = ProgressLine()
        let teams = threads == 1 ? [1] : [1, threads]
        let streams = try Stream.all(columns: params)
        var labels: [(stream: Stream, threads: Int)] = []
        for team in teams { labels += streams.map { ($0, team) } }
        let measurement = try Measurement(
            runs: options.runs,
            of: labels.map { label in
                {
                    Threads.limit = label.threads
                    try label.stream.step()
                }
            }
        ) { progress.show("correlated: run \($0) of \(options.runs)") }
        progress.clear()
        return labels.enumerated().map { index, label in
            let own = labels.firstIndex { $0.threads == label.threads }!
            return Record(
                strategy: label.stream.strategy, terms: label.stream.terms, storage: label.stream.storage,
                params: params, threads: label.threads,
                nanosecondsPerParameter: measurement.median(of: index) * 1e9 / Double(params),
                timesIID: measurement.medianRatio(of: index, to: own))
        }
    }

    private func show(_ records: [Record]) throws {
        let columns: [RecordTable<Record>.Column] = [
            .words("strategy") { $0.strategy },
            .numbers("terms") { $0.terms },
            .words("storage") { $0.storage },
            .numbers("threads") { $0.threads },
            .numbers("ns per parameter") { Format.decimals($0.nanosecondsPerParameter, 2) },
            .numbers("× iid") { Format.decimals($0.timesIID, 2) },
        ]
        try options.show(records, columns: columns) {
            let bars = records.map {
                (
                    name: "\($0.strategy) \($0.terms), \($0.storage), \($0.threads)",
                    value: $0.nanosecondsPerParameter, label: Format.decimals($0.nanosecondsPerParameter, 2)
                )
            }
            return BarChart(title: "Correlated noise", unit: "ns per parameter and step", bars: bars).svg
        }
    }

    private func showFits() throws {
        let progress = ProgressLine()
        var records: [FitRecord] = []
        let requests: [(StrategyRequest, Int, Int)] =
            [128, 256, 512, 1024, 2048].map { (.dense, $0, $0) }
            + [(.bandedToeplitz(bands: 64), 64, 100_000), (.blt(buffers: 3), 3, 100_000)]
        for (request, terms, steps) in requests {
            let goal = try StrategyGoal(steps: steps)
            let begin = ContinuousClock.now
            let strategy = try request.fitted(to: goal) { iteration, loss in
                progress.show("\(request.kind), \(steps) steps: iteration \(iteration), root loss \(loss)")
            }
            let seconds = begin.duration(to: .now) / .seconds(1)
            records.append(
                FitRecord(
                    strategy: request.kind, terms: terms, steps: steps, seconds: seconds,
                    rootLoss: goal.rootLoss(of: strategy)))
        }
        progress.clear()
        let columns: [RecordTable<FitRecord>.Column] = [
            .words("strategy") { $0.strategy },
            .numbers("terms") { $0.terms },
            .numbers("steps") { $0.steps },
            .numbers("seconds") { Format.seconds($0.seconds) },
            .numbers("√loss") { Format.decimals($0.rootLoss, 4) },
        ]
        try options.show(records, columns: columns) {
            BarChart(
                title: "Fits of strategies", unit: "seconds",
                bars: records.map {
                    (name: "\($0.strategy), \($0.steps)", value: $0.seconds, label: Format.seconds($0.seconds))
                }
            ).svg
        }
    }

    /// One kind of noise, in the middle of a run.
    private final class Stream {
        let strategy: String
        let terms: Int
        let storage: String
        private let scheme: NoiseScheme
        private let layout: TreeLayout
        private let workspace = GradientWorkspace()
        private var noise: Noise

        private init(
            _ strategy: String, terms: Int, storage: String, _ scheme: NoiseScheme, _ layout: TreeLayout,
            _ noise: consuming Noise
        ) throws {
            (self.strategy, self.terms, self.storage) = (strategy, terms, storage)
            (self.scheme, self.layout) = (scheme, layout)
            self.noise = noise
            // Past noise is there only after some steps.
            for _ in 0..<terms { try step() }
        }

        /// Noises a sum of zeros.
        func step() throws {
            let aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noise: scheme, noiseMultiplier: 1,
                workspace: workspace)
            _ = try aggregate.noised(noise: &noise)
        }

        static func all(columns: Int) throws -> [Stream] {
            let layout = try TreeLayout([("x", [columns])])
            let steps = 1 << 20
            var streams = [
                try Stream("iid", terms: 1, storage: "none", .discreteGaussian, layout, Noise(.discreteGaussian))
            ]
            for terms in [2, 4, 8] {
                let mechanism = CorrelatedMechanism(.bandedInverse(try .bisr(terms: terms, steps: steps)))
                for keeps in [false, true] {
                    streams.append(
                        try Stream(
                            "banded-inverse", terms: terms, storage: keeps ? "buffered" : "regenerated",
                            NoiseScheme(mechanism), layout,
                            mechanism.begin(nonPrivateSeed: nil, keepsPastNoise: keeps)))
                }
            }
            let others: [(String, Int, CorrelationStrategy)] = [
                (
                    "banded-toeplitz", 4,
                    .bandedToeplitz(try ToeplitzStrategy(coefficients: [1, 0.5, 0.375, 0.3125], steps: steps))
                ),
                (
                    "blt", 3,
                    .blt(
                        try BufferedToeplitzStrategy(
                            decays: [0.9999, 0.98, 0.7], weights: [0.01, 0.1, 0.2], steps: steps))
                ),
            ]
            for (name, terms, strategy) in others {
                let scheme = NoiseScheme.correlated(strategy)
                streams.append(try Stream(name, terms: terms, storage: "buffered", scheme, layout, Noise(scheme)))
            }
            return streams
        }
    }
}
