import Foundation
import Testing

/// The columns that `dp predict` writes beside the class.
@Suite struct PredictedColumnsTests {
    private static func rows(_ range: Range<Int>) -> [String] {
        range.map { #""id ""\#($0)""",\#($0 % 9),\#($0 % 2 == 0 ? "no" : "yes")"# }
    }

    private func folder(classes: String) throws -> WorkFolder {
        let folder = try WorkFolder()
        try folder.write((["key,x,y"] + Self.rows(0..<60)).joined(separator: "\n"), to: "train.csv")
        try folder.write(
            """
            {"columns": [{"name": "key", "kind": "ignored"}, {"name": "x", "kind": "numeric", "lower": 0, "upper": 9},
                         {"name": "y", "kind": "label", "classes": [\(classes)]}]}
            """, to: "schema.json")
        let trained = try Program.run(
            [
                "train", "--data", "train.csv", "--schema", "schema.json", "--epsilon", "8", "--delta", "1e-5",
                "--iterations", "5", "--batch", "20", "--non-private-seed", "1", "--output", "RUN", "--format", "json",
            ], in: folder)
        try #require(trained.status == 0, "\(trained.complaints)")
        return folder
    }

    private func predict(_ options: [String], _ data: String, in folder: WorkFolder) throws -> [[Substring]] {
        let outcome = try Program.run(["predict", "--run", "RUN", "--data", data] + options, in: folder)
        #expect(outcome.status == 0, "\(outcome.complaints)")
        return outcome.output.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    }

    @Test(arguments: [#""no", "yes""#, #""no", "yes", "maybe""#])
    func probabilities(_ classes: String) throws {
        let folder = try folder(classes: classes)
        let count = classes.split(separator: ",").count
        let lines = try predict(["--probabilities"], "train.csv", in: folder)
        let names: [Substring] = ["example", "class", "probability no", "probability yes", "probability maybe"]
        #expect(lines[0] == Array(names.prefix(2 + count)))
        for line in lines.dropFirst() {
            let shares = line.dropFirst(2).compactMap { Double($0) }
            #expect(shares.count == count && abs(shares.reduce(0, +) - 1) <= Double(count) * 1.0.ulp)
            let largest = shares.indices.max { shares[$0] < shares[$1] }
            #expect(["no", "yes", "maybe"][try #require(largest)] == line[1])
        }
        let both = try predict(["--scores", "--probabilities"], "train.csv", in: folder)
        #expect(both[1].count == 2 + (count == 2 ? 1 : 3) + count && both[1].suffix(count) == lines[1].suffix(count))
    }

    /// A column that the schema knows, or that it does not; with and without the label; from disk.
    @Test func ids() throws {
        let folder = try folder(classes: #""no", "yes""#)
        let plain = try predict([], "train.csv", in: folder)
        for stream in [[], ["--stream"]] {
            let lines = try predict(["--id", "key"] + stream, "train.csv", in: folder)
            #expect(lines[0] == ["key", "class"] && lines[1][0] == #""id ""0""""#)
            #expect(lines.dropFirst().map { $0[1] } == plain.dropFirst().map { $0[1] })
            // A feature is copied and stays one.
            let features = try predict(["--id", "x"] + stream, "train.csv", in: folder)
            #expect(features[3] == ["2", plain[3][1]])
        }
        let new = ["code,key,x"] + (0..<3).map { "\($0 == 1 ? "" : "c\($0)"),k,\($0)" }
        try folder.write(new.joined(separator: "\r\n"), to: "new.csv")
        let lines = try predict(["--id", "code", "--without-label-column"], "new.csv", in: folder)
        #expect(lines.map { $0[0] } == ["code", "c0", "\"\"", "c2"])
    }

    @Test func whatMeansNothingIsRefused() throws {
        let folder = try folder(classes: #""no", "yes""#)
        let refused = try Program.run(["predict", "--run", "RUN", "--data", "train.csv", "--id", "kye"], in: folder)
        #expect(refused.status == 1 && refused.messages.contains("lacks the column 'kye'"))
        let lengths = try Program.run(
            ["predict", "--run", "RUN", "--data", "train.csv", "--lengths", "l.npy"], in: folder)
        #expect(lengths.status == 64 && lengths.messages.contains("--lengths would have no effect"))
        let demo = try Program.run(["train", "--demo", "--iterations", "2", "--output", "DEMO"], in: folder)
        #expect(demo.status == 0)
        let id = try Program.run(["predict", "--run", "DEMO", "--data", "train.csv", "--id", "key"], in: folder)
        #expect(id.status == 64 && id.messages.contains("--id would have no effect"))
    }
}
