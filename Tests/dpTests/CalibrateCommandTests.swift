import Foundation
import PrivateTraining
import Testing

/// `dp calibrate` beyond what `dp epsilon` answers, too.
@Suite struct CalibrateCommandTests {
    private static func rows(_ arguments: String, in folder: WorkFolder) throws -> [[String: Any]] {
        let outcome = try Program.run(
            ["calibrate"] + arguments.split(separator: " ").map(String.init) + ["--format", "json"], in: folder)
        #expect(outcome.status == 0, "\(outcome.messages)")
        return try outcome.output.split(separator: "\n").map { try jsonObject(String($0)) }
    }

    /// Every ε with every δ; what was found is within the budget, and a little more is not.
    @Test func severalBudgetsAreSeveralRows() throws {
        let rows = try Self.rows(
            "--epsilon 1,2 --delta 1e-5,1e-6 --sampling-probability 0.02 --iterations 50", in: WorkFolder())
        #expect(rows.map { $0["delta"] as? Double } == [1e-5, 1e-6, 1e-5, 1e-6])
        for (row, target) in zip(rows, [1.0, 1, 2, 2]) {
            let (z, delta) = try (
                #require(row["noiseMultiplier"] as? Double), #require(row["delta"] as? Double)
            )
            let accountant = PrivacyLossDistributionAccountant()
            func epsilon(_ z: Double) throws -> Double {
                try accountant.epsilon(
                    of: .dpSGD(noiseMultiplier: z, samplingProbability: 0.02, iterations: 50), delta: delta)
            }
            #expect(try epsilon(z) == row["epsilon"] as? Double && epsilon(z) <= target)
            #expect(try epsilon(z * 0.999) > target)
        }
    }

    /// Sampling probability and steps are found, of users as of examples.
    @Test func theOtherTwoNumbersAreFound() throws {
        let folder = try WorkFolder()
        for sampling in ["", "--sampling user "] {
            let q = try Self.rows(
                sampling + "--epsilon 1 --delta 1e-5 --noise-multiplier 1 --iterations 50", in: folder)[0]
            let probability = try #require(q["samplingProbability"] as? Double)
            #expect(try #require(q["epsilon"] as? Double) <= 1 && probability > 0.01 && probability < 0.2)
            let steps = try Self.rows(
                sampling + "--epsilon 1 --delta 1e-5 --noise-multiplier 1 --sampling-probability \(probability)",
                in: folder)[0]
            // The probability that just allows 50 steps allows 50, and not one for each 0.002 % more.
            #expect(steps["iterations"] as? Int == 50)
        }
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let arguments: String
        let says: [String]
        var testDescription: String { arguments }
    }

    @Test(arguments: [
        Wrong(
            arguments: "--sampling balls-in-bins --bins 4 --epochs 3 --noise-multiplier 1 --epsilon 1 --delta 1e-5",
            says: ["--noise-multiplier is what is found with balls-in-bins sampling", "leave it out"]),
        Wrong(
            arguments: "--sampling balls-in-bins --limit 4 --iterations 0",
            says: [
                "5 things", "--limit is no option", "--bins is missing", "--iterations is 0", "--epsilon is missing",
                "--delta is missing",
            ]),
        Wrong(
            arguments: "--sampling user --epsilon 1 --delta 1e-5 --iterations 4 --noise-multiplier 1 "
                + "--sampling-probability 0.1", says: ["3 of", "exactly 2", "leave out the one"]),
        Wrong(arguments: "--epsilon 0,x --delta 1e-5 --iterations 4", says: ["--epsilon is 0", "'x'", "1 of"]),
    ])
    func wrongOptionsAreNamedAtOnce(_ wrong: Wrong) throws {
        let arguments = ["calibrate"] + wrong.arguments.split(separator: " ").map(String.init)
        let outcome = try Program.run(arguments, in: WorkFolder())
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        for part in wrong.says { #expect(outcome.messages.contains(part), "\(outcome.messages)") }
    }

    @Test func chartsAreDrawnOfEachRow() throws {
        let folder = try WorkFolder()
        _ = try Self.rows(
            "--sampling shuffled-epochs --examples 100 --batch 10 --epochs 3 --epsilon 1,4 --delta 1e-5 "
                + "--plot plot.svg --trade-off curve.svg", in: folder)
        for name in ["plot.svg", "curve.svg"] {
            let text = try folder.text(name)
            #expect(text.hasPrefix("<svg") && text.matches(of: /<polyline/).count == 2 && text.contains("PLD, z = "))
        }
        // Whole epochs: three points for each line.
        #expect(try folder.text("plot.svg").matches(of: /<circle/).count == 6)
    }
}
