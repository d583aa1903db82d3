import Foundation
import Testing

/// `dp schema`: a skeleton that is made of a header, and that `dp train` refuses until it is filled in.
@Suite struct SchemaCommandTests {
    @Test func skeletonsAreFilledInAndUsed() throws {
        let folder = try WorkFolder()
        try folder.write("x,y\n1,a\n2,b\n", to: "one.csv")
        try folder.write("x,y\n\"a,b\nnothing like numbers", to: "other.csv")
        let first = try Program.run(["schema", "one.csv"], in: folder)
        #expect(first.status == 0 && first.messages.contains("note: "))
        #expect(try Program.run(["schema", "other.csv"], in: folder).output == first.output)
        let before = try folder.contents()
        let written = try Program.run(["schema", "one.csv", "--output", "s.json"], in: folder)
        #expect(written.status == 0 && written.output.isEmpty)
        #expect(try folder.text("s.json") == first.output)
        #expect(try folder.contents().count == before.count + 1)

        let training = [
            "train", "--data", "one.csv", "--schema", "s.json", "--epsilon", "1", "--delta", "1e-5", "--batch", "1",
            "--iterations", "1", "--format", "json",
        ]
        let refused = try Program.run(training, in: folder)
        #expect(refused.status == 64)
        let message = refused.messages.replacing("\n", with: " ")
        for column in ["columns.0.kind", "columns.1.kind"] {
            #expect(message.contains("'\(column)' in 's.json'"), "\(message)")
        }
        #expect(message.contains("as 'dp schema' left it") && message.contains("numeric, buckets"), "\(message)")

        let half = first.output.replacing(#""name": "x", "kind": "?""#, with: #""name": "x", "kind": "ignored""#)
        try folder.write(half, to: "s.json")
        #expect(try Program.run(training, in: folder).status == 64)
        let filled = first.output
            .replacing(#""x", "kind": "?""#, with: #""x", "kind": "numeric", "lower": 0, "upper": 5"#)
            .replacing(#""y", "kind": "?""#, with: #""y", "kind": "label", "classes": ["a", "b"]"#)
        try folder.write(filled, to: "s.json")
        let trained = try Program.run(training, in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
    }

    @Test(arguments: [
        (["schema", "none.csv"], "No such file"), (["schema", "twice.csv"], "twice the column 'x'"),
        (["schema", "twice.csv", "--separator", ", "], "separator"), (["schema"], "file"),
        (["schema", "twice.csv", "--seperator", ";"], "did you mean --separator"),
    ])
    func whatIsWrongIsSaid(_ arguments: [String], _ says: String) throws {
        let folder = try WorkFolder()
        try folder.write("x,x\n1,2\n", to: "twice.csv")
        let refused = try Program.run(arguments, in: folder)
        #expect(refused.status != 0 && refused.output.isEmpty)
        #expect(refused.messages.replacing("\n", with: " ").contains(says), "\(refused.messages)")
    }
}
