import Foundation
import PrivateTraining
import Testing

/// `dp epsilon`: what is asked, what is answered, and what is refused.
@Suite struct EpsilonCommandTests {
    private static let setting = [
        "epsilon", "--sampling-probability", "0.1", "--iterations", "20", "--noise-multiplier", "1",
    ]

    private static func rows(_ arguments: [String], in folder: WorkFolder) throws -> [[String: Any]] {
        let outcome = try Program.run(arguments + ["--format", "json"], in: folder)
        #expect(outcome.status == 0, "\(outcome.messages)")
        return try outcome.output.split(separator: "\n").map { line in
            // Strict JSON has neither NaN nor Infinity.
            _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try jsonObject(String(line))
        }
    }

    /// With commas or repeated: a row for each, and each is what it is alone.
    @Test func severalDeltasAreSeveralRows() throws {
        let folder = try WorkFolder()
        let several = try Self.rows(Self.setting + ["--delta", "1e-5,1e-6", "--delta", "1/10000"], in: folder)
        #expect(several.map { $0["delta"] as? Double } == [1e-5, 1e-6, 1e-4])
        let epsilons = several.compactMap { $0["epsilon"] as? Double }
        try #require(epsilons.count == 3)
        #expect(epsilons[2] < epsilons[0] && epsilons[0] < epsilons[1])
        let alone = try Self.rows(Self.setting + ["--delta", "1e-6"], in: folder)
        #expect(alone.count == 1 && alone[0]["epsilon"] as? Double == epsilons[1])
        let both = try Self.rows(Self.setting + ["--delta", "1e-5,1e-6", "--accountant", "all"], in: folder)
        #expect(both.map { $0["accountant"] as? String } == ["pld", "rdp", "pld", "rdp"])
        let table = try Program.run(Self.setting + ["--delta", "1e-5,1e-6"], in: folder)
        #expect(table.output.contains("1e-05") && table.output.contains("1e-06"))
    }

    /// δ at an end of ε(δ₀) lies on its side of δ₀: at the upper end the lower end of δ is at most δ₀, at the lower end
    /// the upper end of δ is at least δ₀. And what both answers are off by is small.
    @Test func deltaForEpsilonIsTheInverse() throws {
        let folder = try WorkFolder()
        let deltas = [1e-4, 1e-6, 1e-9]
        let there = try Self.rows(
            Self.setting + ["--delta", deltas.map { "\($0)" }.joined(separator: ",")], in: folder)
        let (upper, lower) = try (
            there.map { try #require($0["epsilon"] as? Double) },
            there.map { try #require($0["lowerBound"] as? Double) }
        )
        let words = (upper + lower).map { "\($0)" }.joined(separator: ",")
        let back = try Self.rows(Self.setting + ["--epsilon", words], in: folder)
        try #require(back.count == 6)
        for (index, delta) in deltas.enumerated() {
            let atUpper = try #require(back[index]["lowerDelta"] as? Double)
            let atLower = try #require(back[index + 3]["delta"] as? Double)
            #expect(atUpper <= delta && atLower >= delta)
            // Ends of ε lie within 1 %, and δ falls by less than e^{−20·Δε} between them.
            #expect(try #require(back[index]["delta"] as? Double) < delta * (1 + 1e-3))
            #expect(upper[index] - lower[index] < 0.01 * upper[index])
            #expect(atUpper > delta * exp(-20 * (upper[index] - lower[index])) * (1 - 1e-2))
        }
    }

    /// A δ of 0 or a z of 0 has an answer; infinity is the text "inf".
    @Test func extremesAreStrictJSON() throws {
        let folder = try WorkFolder()
        #expect(try Self.rows(Self.setting + ["--delta", "0"], in: folder)[0]["epsilon"] as? String == "inf")
        let noNoise = Self.setting.map { $0 == "1" ? "0" : $0 }
        let rows = try Self.rows(noNoise + ["--delta", "1e-5"], in: folder)
        #expect(rows[0]["epsilon"] as? String == "inf" && rows[0]["lowerBound"] as? String == "inf")
        let risk = try Self.rows(noNoise + ["--epsilon", "1"], in: folder)[0]
        #expect(try #require(risk["delta"] as? Double) > 0.8)
        let none = try Self.rows(
            Self.setting.map { $0 == "20" ? "0" : $0 } + ["--delta", "1e-5"], in: folder)[0]
        #expect(none["epsilon"] as? Double == 0)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let says: [String]
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ arguments: String, _ says: String...) {
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.says = says
        }
    }

    private static let all = "--noise-multiplier 1 --delta 1e-5"

    /// Everything that is wrong is told at once, with the status 64.
    @Test(arguments: [
        Wrong(
            "--sampling truncated --bins 3 --epochs 2 --redrawn --limit 0", "9 things are wrong",
            "--bins is no option of truncated sampling: it belongs to --sampling balls-in-bins.",
            "--redrawn is no option of truncated sampling", "--epochs is no option of truncated sampling",
            "balls-in-bins, random-allocation, shuffled-epochs", "--limit is 0, but must be at least 1",
            "--examples is missing", "--sampling-probability is missing", "--noise-multiplier is missing",
            "--delta is missing", "--iterations"),
        Wrong("--batch 3 --iterations 4 --sampling-probability 0.1 \(all)", "--batch is no option of poisson"),
        Wrong("--sampling balls-in-bin --iterations 4 \(all)", "'balls-in-bin'", "Did you mean 'balls-in-bins'"),
        Wrong("--sampling balls-in-bins \(all)", "--bins is missing", "--epochs is missing"),
        Wrong("--sampling balls-in-bins --bins 3 --epochs 2 --iterations 6 \(all)", "both say", "leave one out"),
        Wrong("--sampling balls-in-bins --bins 20000000 --epochs 2 \(all)", "--bins is 20000000", "1...16777216"),
        Wrong(
            "--sampling balls-in-bins --bins 3 --epochs 9223372036854775807 \(all)", "--epochs is 9223372036854775807",
            "at most 3074457345618258602"),
        Wrong(
            "--sampling fixed-size --examples 10 --batch 11 --iterations 3 \(all)", "--batch is 11", "in 1...10"),
        Wrong(
            "--sampling fixed-size --examples 10 --batch 3 --iterations 3 --relation add-or-remove-one \(all)",
            "--relation is add-or-remove-one", "only replace-one"),
        Wrong(
            "--sampling b-min-sep --separation 4 --sampling-probability 0.5 --iterations 3 \(all)",
            "--sampling-probability is 0.5", "[0, 1/4]"),
        Wrong(
            "--sampling random-allocation --block-steps 4 --participations 5 --epochs 3 \(all)",
            "--participations is 5", "in 0...4"),
        Wrong(
            "--sampling-probability 0.1 --iterations 3 --noise-multiplier 1 --epsilon 1 --delta 1e-5", "leave one"),
        Wrong(
            "--sampling-probability 0.1 --iterations 3 --noise-multiplier 1 --delta 1e-5,2,x", "2 things",
            "--delta is 2", "--delta is 'x'"),
        Wrong(
            "--sampling-probability 0.1 --iterations 3 --noise-multiplier 1 --epsilon -1", "--epsilon is -1"),
        Wrong("--sampling-probability 0.1 --iterations 3 --fine \(all)", "no option --fine"),
    ])
    func wrongOptionsAreNamedAtOnce(_ wrong: Wrong) throws {
        let outcome = try Program.run(["epsilon"] + wrong.arguments, in: WorkFolder())
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        for part in wrong.says { #expect(outcome.messages.contains(part), "\(outcome.messages)") }
    }

    /// What no accountant can analyse is an error, however many are asked.
    @Test func noAnalysisIsNoAnswer() throws {
        let arguments = [
            "epsilon", "--sampling", "fixed-size", "--examples", "100", "--batch", "10", "--with-replacement",
            "--iterations", "5", "--noise-multiplier", "2", "--delta", "1e-5", "--format", "json",
        ]
        let sampler = try FixedSizeSampler(exampleCount: 100, batchSize: 10, isWithReplacement: true)
        let event = try NoiseScheme.floatingPointGaussian.event(
            of: sampler.participation(in: 5), noiseMultiplier: 2)
        let accountants: [any PrivacyAccountant] = [
            PrivacyLossDistributionAccountant(relation: .replaceOne), RenyiAccountant(relation: .replaceOne),
        ]
        let known = accountants.compactMap { try? $0.epsilon(of: event, delta: 1e-5) }
        let outcome = try Program.run(arguments + ["--accountant", "all"], in: WorkFolder())
        #expect((outcome.status == 0) == !known.isEmpty, "\(outcome.messages)")
        let found = try outcome.output.split(separator: "\n").map { try jsonObject(String($0))["epsilon"] as? Double }
        #expect(found == known)
    }

    /// The largest number of steps has a plot and a trade-off curve, and what cannot be drawn is left out.
    @Test(arguments: [
        "--sampling-probability 1", "--sampling-probability 0.5 --accountant rdp",
        "--sampling cyclic-poisson --bands 7 --sampling-probability 1",
        "--sampling b-min-sep --separation 3 --sampling-probability 1/3",
        "--sampling fixed-size --examples 100 --batch 10 --accountant rdp",
        "--sampling shuffled-epochs --examples 100 --batch 30",
    ])
    func theLargestNumberOfStepsIsDrawn(_ options: String) throws {
        let folder = try WorkFolder()
        let arguments = options.split(separator: " ").map(String.init)
        let outcome = try Program.run(
            ["epsilon", "--iterations", "\(Int.max)", "--noise-multiplier", "1e9", "--delta", "1e-5,1e-6"] + arguments
                + ["--plot", "plot.svg", "--trade-off", "curve.svg"], in: folder)
        #expect(outcome.status == 0, "\(outcome.messages)")
        let plot = try folder.text("plot.svg")
        #expect(plot.contains("9.22e+18") || plot.contains("8e+18"))
        // A line for each δ, of 40 points at most.
        #expect(plot.matches(of: /<polyline/).count == 2)
        #expect((3...80).contains(plot.matches(of: /<circle/).count))
        let curve = try folder.text("curve.svg")
        #expect(curve.matches(of: /<polyline/).count == 1 && curve.contains("type II error"))
    }

    @Test func theHelpNamesEverySampler() throws {
        let help = try Program.run(["epsilon", "--help"], in: WorkFolder())
        #expect(help.status == 0)
        for sampler in SamplingScheme.samplers where sampler.kind != "truncated-poisson" {
            #expect(help.output.contains("\(sampler.kind): "))
        }
        #expect(help.output.contains("(default: poisson)") && !help.output.contains("--fine"))
    }

    /// A simulation's answer says how sure it is, in the table and in JSON; it is above what is certain from below, and
    /// several answers hold together.
    @Test func simulationsCarryTheirConfidence() throws {
        let folder = try WorkFolder()
        let setting = [
            "epsilon", "--sampling", "balls-in-bins", "--bins", "4", "--epochs", "3", "--noise-multiplier", "2",
            "--epsilon", "0.5",
        ]
        let simulation = ["--accountant", "simulation", "--samples", "20000", "--confidence", "0.999999"]
        let row = try #require(Self.rows(setting + simulation, in: folder).first)
        let certain = try #require(Self.rows(setting, in: folder).first)
        #expect(row["confidence"] as? Double == 0.999999 && row["sampleCount"] as? Int == 20_000)
        #expect(row["accountant"] as? String == "simulation" && row["lowerDelta"] is NSNull)
        #expect(certain["confidence"] == nil)
        let delta = try #require(row["delta"] as? Double)
        // Fails once in 10⁶ runs; the means of 20,000 values in [0, 1] are within 0.05 of δ with as much certainty.
        #expect(try delta >= #require(certain["lowerDelta"] as? Double))
        #expect(try delta <= #require(certain["delta"] as? Double) + 0.05)
        let both = try Self.rows(setting + ["--epsilon", "1"] + simulation, in: folder)
        #expect(both.compactMap { $0["confidence"] as? Double }.allSatisfy { $0 > 0.999999 })
        let banded = try Self.rows(setting + simulation + ["--coefficients", "1,0.5"], in: folder)
        #expect(banded.first?["coefficients"] as? [Double] == [1, 0.5])
        let table = try Program.run(setting + simulation, in: folder)
        #expect(table.output.contains("confidence") && table.output.contains("0.999999"))
    }

    @Test func whatCannotBeSimulatedIsRefused() throws {
        let folder = try WorkFolder()
        let outcome = try Program.run(
            Self.setting + ["--delta", "1e-5", "--accountant", "simulation", "--samples", "1", "--plot", "a.svg"],
            in: folder)
        #expect(outcome.status == 64)
        for word in ["--samples", "--epsilon in the place of --delta", "--plot", "balls-in-bins"] {
            #expect(outcome.messages.contains(word), "\(word): \(outcome.messages)")
        }
        let unasked = try Program.run(Self.setting + ["--delta", "1e-5", "--confidence", "0.9"], in: folder)
        #expect(unasked.status == 64 && unasked.messages.contains("--accountant simulation"))
    }
}
