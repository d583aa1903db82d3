import Foundation
import PrivateTraining
import Testing

/// `dp compare`: plans of files, and samplers at the same work.
@Suite struct CompareCommandTests {
    private static func rows(_ arguments: String, in folder: WorkFolder, input: String? = nil) throws -> (
        rows: [[String: Any]], messages: String
    ) {
        let outcome = try Program.run(
            ["compare"] + arguments.split(separator: " ").map(String.init) + ["--format", "json"], in: folder,
            input: input)
        #expect(outcome.status == 0, "\(outcome.messages)")
        return (try outcome.output.split(separator: "\n").map { try jsonObject(String($0)) }, outcome.messages)
    }

    private static let plan = """
        {"exampleCount": 1000, "expectedBatchSize": 100, "iterations": 20, "delta": 1e-5, "noiseMultiplier": 2,
         "clipping": {"method": "threshold", "l2ClipNorm": 1}}
        """
    private static let bins = """
        {"sampling": {"kind": "balls-in-bins", "exampleCount": 1000, "bins": 10}, "iterations": 20, "delta": 1e-5,
         "noiseMultiplier": 2, "clipping": {"method": "threshold", "l2ClipNorm": 1}, "relation": "replace-one"}
        """

    /// A row for each file, in their order, with the numbers that `dp plan` has for it.
    @Test func plansAreRows() throws {
        let folder = try WorkFolder()
        try folder.write(Self.plan, to: "a.json")
        try folder.write(Self.bins, to: "b.json")
        let (rows, _) = try Self.rows("a.json - --plot p.svg --trade-off t.svg", in: folder, input: "b.json")
        #expect(rows.map { $0["plan"] as? String } == ["a.json", "-"])
        #expect(rows.map { $0["sampling"] as? String } == ["poisson", "balls-in-bins"])
        #expect(rows.map { $0["relation"] as? String } == ["add-or-remove-one", "replace-one"])
        #expect(rows.allSatisfy { $0["expectedBatchSize"] as? Double == 100 && $0["iterations"] as? Int == 20 })
        for (row, file) in zip(rows, ["a.json", "b.json"]) {
            let report = try Program.run(["plan", file, "--format", "json"], in: folder).json()
            let guarantee = try #require((report["guarantees"] as? [[String: Any]])?.first)
            #expect(row["epsilon"] as? Double == guarantee["epsilon"] as? Double)
        }
        #expect(rows[0]["lowerBound"] is Double)
        for name in ["p.svg", "t.svg"] {
            let text = try folder.text(name)
            #expect(text.matches(of: /<polyline/).count == 2 && text.contains("a.json"))
        }
        let table = try Program.run(["compare", "a.json", "b.json"], in: folder).output
        #expect(table.contains("| a.json | poisson ") && table.contains("| b.json | balls-in-bins "))
    }

    private static func work(_ more: String) -> String {
        "--examples 1000 --batch 100 --epochs 2 --delta 1e-5 " + more
    }

    /// All samplers that can do the work are there, do it, and come in the order of ε; each ε is that of `dp epsilon`.
    @Test func samplersDoTheSameWork() throws {
        let folder = try WorkFolder()
        let (rows, messages) = try Self.rows(Self.work("--noise-multiplier 2"), in: folder)
        let kinds = Set(rows.compactMap { $0["sampling"] as? String })
        let others = kinds.union(messages.matches(of: /note: ([a-z-]+)[^\n]* is left out/).map { String($0.1) })
        #expect(others == Set(SamplingScheme.samplers.map { $0.kind }).subtracting(["user", "several-owners"]))
        #expect(rows.allSatisfy { $0["expectedBatchSize"] as? Double == 100 && $0["iterations"] as? Int == 20 })
        let epsilons = rows.compactMap { $0["epsilon"] as? Double }
        #expect(epsilons == epsilons.sorted() && epsilons.count == rows.count)
        #expect(messages.contains("those of different relations are different promises"))
        let random = try #require(rows.first { $0["sampling"] as? String == "random-allocation" })
        let asked = [
            "epsilon", "--sampling", "random-allocation", "--block-steps", "10", "--participations", "1", "--epochs",
            "2", "--noise-multiplier", "2", "--delta", "1e-5", "--format", "json",
        ]
        #expect(
            try random["epsilon"] as? Double == Program.run(asked, in: folder).json()["epsilon"] as? Double)
    }

    /// A line for each row. There are more than colours: those of one colour are told apart by dashes.
    @Test func everyRowHasItsLine() throws {
        let folder = try WorkFolder()
        let (rows, _) = try Self.rows(
            Self.work("--noise-multiplier 2 --accountant rdp --plot p.svg --trade-off t.svg"), in: folder)
        #expect(rows.count > 6)
        for name in ["p.svg", "t.svg"] {
            let text = try folder.text(name)
            #expect(text.matches(of: /<polyline/).count == rows.count && text.contains("stroke-dasharray"))
        }
    }

    /// With a budget, the noise is calibrated, and comes in its order.
    @Test func noiseIsCalibrated() throws {
        let (rows, messages) = try Self.rows(Self.work("--epsilon 3 --relation add-or-remove-one"), in: WorkFolder())
        let noise = rows.compactMap { $0["noiseMultiplier"] as? Double }
        #expect(noise == noise.sorted() && noise.count == rows.count && rows.count >= 5)
        // 2·10⁻⁵ is the tolerance of z, and ε moves at most some ten times as fast.
        #expect(rows.compactMap { $0["epsilon"] as? Double }.allSatisfy { $0 <= 3 && $0 > 3 * (1 - 2e-4) })
        #expect(rows.allSatisfy { $0["relation"] as? String == "add-or-remove-one" })
        #expect(messages.contains("fixed-size, m = 100 is left out: its analysis covers only replace-one"))
        #expect(messages.contains("truncated, q = 0.1, limit = 160 is left out"))
    }

    /// Work that a sampler cannot do is done nearly, and said; or is left out, and said.
    @Test func whatDoesNotDivideIsSaid() throws {
        let (rows, messages) = try Self.rows(
            "--examples 1000 --batch 300 --epochs 1.5 --delta 1e-5 --noise-multiplier 2 --bands 4 --accountant rdp",
            in: WorkFolder())
        #expect(rows.allSatisfy { $0["iterations"] as? Int == 5 })
        #expect(messages.contains("cyclic-poisson is left out") && messages.contains("b-min-sep is left out"))
        #expect(messages.contains("random-allocation, t = 3, k = 1: epochs have 3 steps, and batches 333.333"))
        let fixed = try #require(rows.first { $0["sampling"] as? String == "fixed-size" })
        #expect(fixed["expectedBatchSize"] as? Double == 300)
    }

    @Test(arguments: [
        ("", ["5 things", "--examples is missing", "or name files", "--batch", "--epochs", "--delta", "Exactly one"]),
        ("a.json --batch 3 --delta 1e-5 --fob", ["2 things", "no option --fob", "leave --batch, --delta out"]),
        ("- -", ["'-' is given 2 times", "read once"]),
        (work("--noise-multiplier 1 --epsilon 2"), ["Exactly one of --noise-multiplier and --epsilon"]),
        ("--examples 10 --batch 11 --epochs 1 --noise-multiplier 1 --delta 1e-5", ["--batch is 11", "at most", "10"]),
        ("--examples 10 --batch 1 --epochs 1e300 --noise-multiplier 1 --delta 1e-5", ["--epochs is 1e+300", "1e15"]),
    ])
    func wrongOptionsAreNamedAtOnce(_ arguments: String, _ says: [String]) throws {
        let outcome = try Program.run(
            ["compare"] + arguments.split(separator: " ").map(String.init), in: WorkFolder())
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        for part in says { #expect(outcome.messages.contains(part), "\(outcome.messages)") }
    }
}
