import Foundation
import Testing

/// Numbers to predict: from a CSV file with a target to errors and predictions in the file's units.
@Suite struct RegressionRunTests {
    private static let schema = """
        {"columns": [
          {"name": "rooms", "kind": "numeric", "lower": 0, "upper": 10},
          {"name": "town", "kind": "categorical", "categories": ["Ulm", "Aix"]},
          {"name": "price, k€", "kind": "target", "lower": 100, "upper": 500}]}
        """

    /// What a flat of so many rooms costs, with a part that no feature tells of.
    private static func prices(_ range: Range<Int>) -> [Double] {
        range.map { number in
            let rooms = Double((number * 37) % 11)
            return 120 + 30 * rooms + (number % 2 == 0 ? 40 : 0) + Double((number * 53) % 17 - 8)
        }
    }

    private static func text(_ range: Range<Int>, withTarget: Bool = true) -> String {
        let rows = zip(range, prices(range)).map { number, price in
            "\((number * 37) % 11),\(number % 2 == 0 ? "Ulm" : "Aix")" + (withTarget ? ",\(price)" : "")
        }
        return (["rooms,town" + (withTarget ? ",\"price, k€\"" : "")] + rows).joined(separator: "\n") + "\n"
    }

    private static let training = [
        "train", "--data", "train.csv", "--schema", "schema.json", "--optimizer", "adam", "--learning-rate", "0.05",
        "--epsilon", "8", "--delta", "1e-5", "--epochs", "30", "--batch", "100", "--clip", "1", "--non-private-seed",
        "3", "--threads", "1", "--output", "RUN",
    ]

    private func folder() throws -> WorkFolder {
        let folder = try WorkFolder()
        try folder.write(Self.text(0..<800), to: "train.csv")
        try folder.write(Self.text(800..<1000), to: "test.csv")
        try folder.write(Self.text(800..<1000, withTarget: false), to: "new.csv")
        try folder.write(Self.schema, to: "schema.json")
        return folder
    }

    @Test func trainEvaluateAndPredict() throws {
        let folder = try folder()
        let data = ["--test-data", "test.csv", "--model", "linear"]
        let trained = try Program.run(Self.training + data + ["--format", "json"], in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        let result = try trained.json()
        let error = try #require(result["testRootMeanSquaredError"] as? Double)
        let share = try #require(result["testRSquared"] as? Double)
        #expect(result["testAccuracy"] == nil)
        #expect(share > 0.8 && share < 1)
        let metrics = try #require(try folder.metrics("RUN").last)
        #expect(metrics["testRootMeanSquaredError"] as? Double == error)
        #expect(metrics["testRSquared"] as? Double == share)
        let page = try folder.text("RUN/index.html")
        #expect(page.contains("Test RMSE") && page.contains("Test R²") && page.contains("Root mean squared error"))

        let predicted = try Program.run(["predict", "--run", "RUN", "--data", "test.csv"], in: folder)
        #expect(predicted.status == 0, "\(predicted.complaints)")
        let lines = predicted.output.split(separator: "\n")
        #expect(lines.first == "example,\"price, k€\"")
        let numbers = lines.dropFirst().compactMap { Double($0.split(separator: ",")[1]) }
        #expect(numbers.count == 200)
        let without = try Program.run(
            ["predict", "--run", "RUN", "--data", "new.csv", "--without-label-column"], in: folder)
        #expect(without.output == predicted.output)

        // Both errors by their definitions from what was predicted. Targets and outputs are Float32 in [0, 1]: each is
        // off by some 2⁻²⁴ of 400.
        let truth = Self.prices(800..<1000)
        let mean = truth.reduce(0, +) / 200
        let squares = zip(numbers, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let total = truth.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        #expect(abs((squares / 200).squareRoot() - error) < 1e-3)
        #expect(abs(1 - squares / total - share) < 1e-4)

        let evaluated = try Program.run(
            ["evaluate", "--run", "RUN", "--data", "test.csv", "--format", "json"], in: folder)
        #expect(try evaluated.json()["rootMeanSquaredError"] as? Double == error)
        #expect(try evaluated.json()["rSquared"] as? Double == share)
        #expect(try evaluated.json()["isOfTrainingData"] as? Bool == false)
        let table = try Program.run(["evaluate", "--run", "RUN", "--data", "test.csv"], in: folder)
        #expect(table.output.contains("RMSE") && table.output.contains("R²") && !table.output.contains("accuracy"))
    }

    /// Large numbers keep their digits: a Float32 of 1.6 · 10⁹ is a multiple of 128.
    @Test func largeNumbersKeepTheirDigits() throws {
        let folder = try folder()
        try folder.write(
            Self.schema.replacing(#""lower": 100, "upper": 500"#, with: #""lower": 1.6e9, "upper": 1.7e9"#),
            to: "schema.json")
        let rows = (0..<400).map { "\($0 % 11),Ulm,\(1_600_000_000 + ($0 % 11) * 9_000_001 + 3)" }
        try folder.write((["rooms,town,\"price, k€\""] + rows).joined(separator: "\n") + "\n", to: "train.csv")
        #expect(try Program.run(Self.training + ["--model", "linear"], in: folder).status == 0)
        let predicted = try Program.run(
            ["predict", "--run", "RUN", "--data", "new.csv", "--without-label-column"], in: folder)
        let fields = predicted.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] }
        #expect(fields.count == 200 && !fields.contains { $0.contains("e") })
        #expect(fields.compactMap { Double($0) }.contains { $0.truncatingRemainder(dividingBy: 128) != 0 })
    }

    /// Targets beyond the bounds are clamped, and errors are of what is left of them: of test data this is said.
    @Test func clampedTestTargetsAreCounted() throws {
        let folder = try folder()
        try folder.write(Self.text(800..<1000) + "5,Ulm,900\n5,Aix,-7\n5,Aix,500\n", to: "test.csv")
        // Those of the training data would tell of it.
        try folder.write(Self.text(0..<797) + "5,Ulm,900\n5,Ulm,901\n5,Ulm,99\n", to: "train.csv")
        let data = ["--test-data", "test.csv", "--model", "linear", "--format", "json"]
        let trained = try Program.run(Self.training + data, in: folder)
        let evaluated = try Program.run(["evaluate", "--run", "RUN", "--data", "test.csv"], in: folder)
        for outcome in [trained, evaluated] {
            #expect(outcome.status == 0, "\(outcome.complaints)")
            let said = outcome.messages.replacing("\n", with: " ")
            #expect(said.contains("3 of 203 numbers") && said.contains("clamped targets"), "\(said)")
        }
        // Control: nothing is said where nothing is clamped, and nothing of training data.
        try folder.remove("RUN")
        try folder.write(Self.text(800..<1000), to: "test.csv")
        #expect(try !Program.run(Self.training + data, in: folder).messages.contains("clamped"))
    }

    @Test func thePeoplesTableHasBothErrors() throws {
        let folder = try folder()
        let trained = try Program.run(
            Self.training + ["--test-data", "test.csv", "--model", "linear"], in: folder)
        #expect(trained.output.contains("test RMSE") && trained.output.contains("test R²"))
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let folder = try folder()
        let softmax = try Program.run(Self.training + ["--model", "softmax"], in: folder)
        #expect(softmax.status == 64 && softmax.complaints.joined().contains("use a linear model"))
        try folder.write(Self.schema.replacing(#", "upper": 500"#, with: ""), to: "schema.json")
        let open = try Program.run(Self.training + ["--model", "linear"], in: folder)
        #expect(open.status == 1 && open.complaints.joined().contains("of 'price, k€' open"))
        let without = Self.schema.replacing(#""target", "lower": 100, "upper": 500"#, with: #""ignored""#)
        try folder.write(without, to: "schema.json")
        let ignored = try Program.run(Self.training + ["--model", "linear"], in: folder)
        #expect(ignored.status == 64 && ignored.complaints.joined().contains("the kind label or target"))
        #expect(!folder.has("RUN"))
    }
}
