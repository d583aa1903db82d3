import Foundation
import PrivacyMechanisms
import Testing

@testable import dp

/// `dp compare --noise correlated`: every way to make the noise of some work.
@Suite struct NoiseComparisonTests {
    private static let budget = "--epsilon 2 --delta 1e-5 --accountant rdp --noise correlated "

    private static func rows(_ arguments: String, in folder: WorkFolder) throws -> (
        rows: [[String: Any]], messages: String
    ) {
        let words = (budget + arguments).split(separator: " ").map(String.init)
        let outcome = try Program.run(["compare"] + words + ["--format", "json"], in: folder)
        #expect(outcome.status == 0, "\(outcome.messages)")
        return (try outcome.output.split(separator: "\n").map { try jsonObject(String($0)) }, outcome.messages)
    }

    private static func numbers(_ key: String, _ rows: [[String: Any]]) -> [Double] {
        rows.compactMap { $0[key] as? Double }
    }

    /// Rows come by their predicted errors, within the budget; each error is what its own numbers say.
    @Test func everyWayIsCompared() throws {
        let folder = try WorkFolder()
        let (rows, _) = try Self.rows(
            "--examples 1000 --batch 100 --epochs 2 --relation add-or-remove-one --strategies s.json --plot p.svg",
            in: folder)
        let names = rows.map { "\($0["strategy"] ?? "") \($0["sampling"] ?? "")" }
        let inOrder = [
            "blt", "banded-inverse:2", "banded-inverse:4", "banded-inverse:8", "banded-toeplitz:2", "banded-toeplitz:4",
            "banded-toeplitz:8", "dense",
        ].map { $0 + " balls-in-bins" }
        let cyclic = [2, 4, 8].map { "banded-toeplitz:\($0) cyclic-poisson" }
        #expect(Set(names) == Set(["DP-SGD poisson"] + cyclic + inOrder) && names.count == 12)
        let errors = Self.numbers("predictedError", rows)
        #expect(errors == errors.sorted())
        #expect(rows.map { $0["isRecommended"] as? Bool } == [true] + Array(repeating: false, count: 11))
        // 2·10⁻⁵ is the tolerance of z, and ε moves at most some ten times as fast.
        #expect(Self.numbers("epsilon", rows).allSatisfy { $0 <= 2 && $0 > 2 * (1 - 2e-4) })
        #expect(rows.allSatisfy { $0["relation"] as? String == "add-or-remove-one" })
        let base = try #require(rows.first { $0["strategy"] as? String == "DP-SGD" })
        let independent = try #require(base["predictedError"] as? Double)
        // z/N·√((n + 1)/2).
        let z = try #require(base["noiseMultiplier"] as? Double)
        #expect(abs(independent / (z / 100 * 10.5.squareRoot()) - 1) < 1e-12)
        let cache = try StrategyCache(contentsOf: folder.url.appending(path: "s.json").path)
        for row in rows where row["strategy"] as? String != "DP-SGD" {
            let (error, z) = (try #require(row["predictedError"] as? Double), row["noiseMultiplier"] as? Double ?? 0)
            #expect(row["relativeError"] as? Double == error / independent)
            let word = try #require(StrategyWord(written: row["strategy"] as? String ?? ""))
            let isCyclic = row["sampling"] as? String == "cyclic-poisson"
            #expect((row["sensitivity"] is Double) != isCyclic)
            let participation = isCyclic ? StrategyParticipation.once : .epochs(length: 10)
            let goal = try StrategyGoal(steps: 20, participation: participation)
            let strategy = try #require(cache[word.request, goal])
            let mean = strategy.squaredErrors(on: .prefixSums).mean.squareRoot()
            // Three roundings.
            #expect(abs(error / (z * strategy.columnNorm * mean / 100) - 1) < 1e-14)
            // A twin that forgets the norm of C would be told.
            #expect(abs(error / (z * mean / 100) - 1) > 0.1)
        }
        // DP-SGD, BLT, dense and the best inverse; and a line for each sampler's banded strategies.
        let chart = try folder.text("p.svg")
        #expect(chart.matches(of: /<polyline/).count == 4 + 2 && chart.contains("cyclic-poisson"))
        let table = try Program.run(
            ["compare"] + (Self.budget + "--examples 100 --batch 50 --epochs 2").split(separator: " ").map(String.init),
            in: folder)
        #expect(table.status == 0 && table.output.contains("| recommended |") && table.output.contains("| yes "))
    }

    /// A row is what `dp plan` says of the plan that it stands for.
    @Test func rowsArePlans() throws {
        let folder = try WorkFolder()
        let (rows, messages) = try Self.rows("--examples 100 --batch 10 --epochs 2", in: folder)
        // Shuffled epochs cover another relation than the rest.
        #expect(Set(rows.compactMap { $0["relation"] as? String }) == ["add-or-remove-one", "replace-one"])
        #expect(rows.count { $0["isRecommended"] as? Bool == true } == 2)
        #expect(messages.contains("different promises"))
        let row = try #require(
            rows.first {
                $0["sampling"] as? String == "shuffled-epochs" && $0["strategy"] as? String == "banded-inverse:2"
            })
        #expect(row["relation"] as? String == "replace-one")
        try folder.write(
            #"""
            {"sampling": {"kind": "shuffled-epochs", "exampleCount": 100, "batchSize": 10, "keepsOrder": true},
             "iterations": 20, "epsilon": 2, "delta": 1e-5, "relation": "replace-one", "accountant": "rdp",
             "clipping": {"method": "threshold", "l2ClipNorm": 1}}
            """#, to: "plan.json")
        let report = try Program.run(
            ["plan", "plan.json", "--strategy", "banded-inverse:2", "--format", "json"], in: folder
        ).json()
        let strategy = try #require(report["strategy"] as? [String: Any])
        #expect(report["noiseMultiplier"] as? Double == row["noiseMultiplier"] as? Double)
        for key in ["predictedError", "sensitivity", "columnNorm", "bytesPerParameter", "participations"] {
            #expect(strategy[key] as? Double == row[key] as? Double, "\(key)")
        }
    }

    /// Where nobody takes part twice there is the optimum of that; where epochs do not divide the data, it is said.
    @Test func oneEpochHasItsOwnOptimum() throws {
        let (rows, messages) = try Self.rows(
            "--examples 1000 --batch 300 --epochs 0.9 --relation add-or-remove-one", in: WorkFolder())
        #expect(rows.allSatisfy { $0["iterations"] as? Int == 3 || $0["iterations"] as? Double == 3 })
        let row = try #require(rows.first { $0["strategy"] as? String == "optimal for one participation" })
        #expect(row["participations"] as? Double == 1 && row["sensitivity"] as? Double == row["columnNorm"] as? Double)
        #expect(messages.contains("balls-in-bins: epochs have 3 steps, and batches 333.333"))
    }

    @Test(arguments: [
        ("--noise correlated", ["5 things", "--examples is missing", "--epsilon is missing", "--delta is missing"]),
        (
            "--noise correlated --examples 9 --batch 3 --epochs 1 --epsilon 1 --delta 0.1 --bands 2 --trade-off t.svg",
            ["2 things", "--bands is no option of --noise correlated", "--trade-off"]
        ),
        ("--noise correlated --examples 9 --batch 3 --epochs 0 --epsilon 1 --delta 0.1", ["there is no step"]),
        ("--noise blt", ["--noise is 'blt'", "one of independent, correlated"]),
        (
            "--examples 9 --batch 3 --epochs 1 --epsilon 1 --delta 0.1 --strategies s.json",
            ["--strategies belongs to --noise correlated"]
        ),
        ("a.json --noise correlated", ["leave --noise out"]),
    ])
    func wrongOptionsAreNamedAtOnce(_ arguments: String, _ says: [String]) throws {
        let outcome = try Program.run(
            ["compare"] + arguments.split(separator: " ").map(String.init), in: WorkFolder())
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        for part in says { #expect(outcome.messages.contains(part), "\(outcome.messages)") }
    }
}
