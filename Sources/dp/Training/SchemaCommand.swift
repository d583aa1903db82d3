import ArgumentParser
import CommandLineSupport
import Foundation
import PrivateTraining

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "The skeleton of a schema for a CSV file, made of its header alone.",
        discussion: """
            Every column gets the kind "?", which 'dp train' refuses: write kinds, bounds and categories in their \
            place, from what you know without the data ('dp help formats' shows how). No value is looked at. The \
            file's first record is taken for the header: of a file without one, it would be printed.
            """)

    @Argument(help: "A CSV file with a header, plain or .gz.", completion: .file())
    var file: String

    @Option(help: "What stands between fields: one ASCII character. (default: a comma)")
    var separator = ","

    @Option(help: "The file to write; standard output if it is left out.", completion: .file(extensions: ["json"]))
    var output: String?

    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        var check = UsageCheck()
        check.refuse(unrecognized.words, of: Self.self)
        try check.finish()
        let text = try CSVSchema.skeleton(forHeaderOf: file, separator: separator)
        if let output { try AtomicFile.write(Data(text.utf8), to: output) } else { print(text, terminator: "") }
        note(
            """
            Write a kind in the place of each "\(CSVSchema.openKind)", and what is public of the column, such as
              "kind": "numeric", "lower": 18, "upper": 90
              "kind": "categorical", "categories": ["Bonn", "Essen"]
              "kind": "label", "classes": ["no", "yes"]    or  "kind": "target", "lower": 0, "upper": 50
              "kind": "ignored"
            'dp help formats' describes all of them.
            """)
    }
}
