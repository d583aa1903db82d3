import Foundation
import Testing

/// From a CSV file to predictions.
@Suite struct CSVRunTests {
    private static let training = [
        "train", "--data", "train.csv", "--schema", "schema.json", "--model", "logistic", "--optimizer", "adam",
        "--learning-rate", "0.2", "--epsilon", "4", "--delta", "1e-5", "--epochs", "20", "--batch", "100", "--clip",
        "1",
        "--non-private-seed", "3", "--threads", "1", "--output", "RUN",
    ]

    private func folder(hasBounds: Bool = true) throws -> WorkFolder {
        let folder = try WorkFolder()
        try folder.write(ClientsCSV.text(0..<600), to: "train.csv")
        try folder.write(ClientsCSV.text(600..<800), to: "test.csv")
        try folder.write(ClientsCSV.schema(hasBounds: hasBounds), to: "schema.json")
        return folder
    }

    @Test func testingOnTheTrainingDataIsRefused() throws {
        let folder = try folder()
        for path in ["train.csv", "./train.csv"] {
            let refused = try Program.run(Self.training + ["--test-data", path], in: folder)
            #expect(refused.status == 1)
            #expect(refused.complaints.joined().contains("trained and tested on"))
            #expect(!folder.has("RUN"))
        }
    }

    /// Nine of a hundred labels are flipped, so that 0.9 is within reach and 0.5 is what guessing gives.
    @Test func trainEvaluateAndPredict() throws {
        let folder = try folder()
        let trained = try Program.run(Self.training + ["--test-data", "test.csv", "--format", "json"], in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        let accuracy = try #require(try trained.json()["testAccuracy"] as? Double)
        #expect(accuracy > 0.75)

        let evaluated = try Program.run(
            ["evaluate", "--run", "RUN", "--data", "test.csv", "--format", "json"], in: folder)
        #expect(evaluated.status == 0, "\(evaluated.complaints)")
        #expect(try evaluated.json()["accuracy"] as? Double == accuracy)
        #expect(try evaluated.json()["exampleCount"] as? Int == 200)

        let predicted = try Program.run(["predict", "--run", "RUN", "--data", "test.csv"], in: folder)
        #expect(predicted.status == 0, "\(predicted.complaints)")
        let lines = predicted.output.split(separator: "\n").map { $0.split(separator: ",") }
        #expect(lines.count == 201)
        #expect(lines[0] == ["example", "class"])
        #expect(lines.dropFirst().map { $0[0] } == (0..<200).map { "\($0)" })
        #expect(Set(lines.dropFirst().map { $0[1] }) == ["no", "yes"])
        let truth = ClientsCSV.rows(600..<800).map { $0.hasSuffix("yes\"") ? "yes" : "no" }
        let right = zip(truth, lines.dropFirst()).count { $0 == $1[1] }
        #expect(Double(right) / 200 == accuracy)

        let unlabelled =
            "age,\"job, title\",income\n"
            + ClientsCSV.rows(600..<800, withLabel: false).joined(separator: "\r\n")
        try folder.write(unlabelled, to: "new.csv")
        let without = try Program.run(
            ["predict", "--run", "RUN", "--data", "new.csv", "--without-label-column"], in: folder)
        #expect(without.status == 0, "\(without.complaints)")
        #expect(without.output == predicted.output)
        // Without the flag the file lacks a column, and says so.
        let refused = try Program.run(["predict", "--run", "RUN", "--data", "new.csv"], in: folder)
        #expect(refused.status == 1 && refused.complaints.joined().contains("lacks the column 'answer'"))
    }

    /// Class names with line ends and blanks, in a file whose own lines end with CR: predictions are CSV all the same.
    @Test func namesOfClassesComeBackAsTheyAre() throws {
        let folder = try WorkFolder()
        let schema = #"""
            {"columns": [{"name": "x", "kind": "numeric", "lower": 0, "upper": 10},
                         {"name": "y", "kind": "label", "classes": ["no\rthanks", " well, \"yes\"\n"]}]}
            """#
        try folder.write(schema, to: "schema.json")
        let rows = (0..<200).map { $0 % 2 == 0 ? "\($0 % 3),\"no\rthanks\"" : "\(9 - $0 % 3),\" well, \"\"yes\"\"\n\"" }
        try folder.write((["x,y"] + rows).joined(separator: "\r"), to: "train.csv")
        let trained = try Program.run(Self.training, in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        let predicted = try Program.run(["predict", "--run", "RUN", "--data", "train.csv", "--scores"], in: folder)
        let (no, yes) = ("\"no\rthanks\",-", "\" well, \"\"yes\"\"\n\",")
        let text = predicted.output
        #expect(
            text.utf8.count { $0 == UInt8(ascii: "\r") } == 100 && text.utf8.count { $0 == UInt8(ascii: "\n") } == 301)
        #expect(text.hasPrefix("example,class,score\n0,\(no)") && text.contains("\n1,\(yes)"))
        // In an error, the same names are on one line.
        try folder.write("x,y\r1,maybe\r\n", to: "train.csv")
        let refused = try Program.run(["evaluate", "--run", "RUN", "--data", "train.csv"], in: folder)
        #expect(refused.complaints.count == 1)
        #expect(refused.complaints.joined().contains(#"line 2, column 'y': the label "maybe""#))
        #expect(refused.complaints.joined().contains(#"'no\rthanks', ' well, "yes"\n'"#))
    }

    @Test func openBoundsAreRefusedOrOwnedUpTo() throws {
        let folder = try folder(hasBounds: false)
        let before = try folder.contents()
        let refused = try Program.run(Self.training, in: folder)
        #expect(refused.status == 1)
        #expect(refused.complaints.count == 1)
        #expect(refused.complaints.joined().contains("leaves the bounds or categories of 'age' open"))
        #expect(try folder.contents() == before)

        let taken = try Program.run(Self.training + ["--open-ranges-from-data-without-privacy"], in: folder)
        #expect(taken.status == 0, "\(taken.complaints)")
        let notCovered = try #require(try folder.object("RUN/report.json")["notCovered"] as? [String])
        #expect(notCovered.contains { $0.contains("age") } && !notCovered.contains { $0.contains("income") })
        #expect(taken.output.contains("age"))
    }
}
