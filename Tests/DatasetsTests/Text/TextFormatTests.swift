import Datasets
import Foundation
import Testing

@Suite struct TextFormatTests {
    @Test func whatContradictsItselfIsRefused() throws {
        func expect(_ name: String, _ length: Int, hasWindows: Bool = false, _ labels: [String]?) {
            do throws(DatasetError) {
                _ = try TextFormat(vocabulary: .bytes, length: length, hasWindows: hasWindows, labels: labels)
                Issue.record("\(name) was taken")
            } catch {
                guard case .invalidTextFormat(name, _, _) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(!error.description.utf8.contains { $0 < 0x20 })
            }
        }
        expect("length", 0, nil)
        expect("window", 1_000_001, hasWindows: true, nil)
        expect("number of labels", 5, hasWindows: true, ["a", "b"])
        expect("list of labels", 5, ["a"])
        expect("list of labels", 5, ["a", "b", "a"])
        expect("label", 5, ["a", "b\tc"])
        expect("label", 5, ["a", ""])
    }

    /// A list and windows are told of, bytes and lines are not.
    @Test func tellsWhatIsNotCovered() throws {
        let words = try Vocabulary(words: ["a", "b"])
        #expect(try TextFormat(vocabulary: .bytes, length: 5).notCovered.isEmpty)
        let told = try TextFormat(vocabulary: words, length: 5, hasWindows: true).notCovered
        #expect(told.count == 2)
        #expect(told[0].contains("vocabulary of 2 words") && told[1].contains("windows of 5 tokens"))
    }

    @Test func comesBackFromJSON() throws {
        for format in [
            try TextFormat(vocabulary: .bytes, length: 5, labels: ["a", "b"]),
            try TextFormat(vocabulary: Vocabulary(characters: ["a"]), length: 9, hasWindows: true),
        ] {
            #expect(try JSONDecoder().decode(TextFormat.self, from: JSONEncoder().encode(format)) == format)
        }
        let wrong = #"{"vocabulary": {"kind": "bytes"}, "length": 0}"#
        #expect(throws: DatasetError.self) { try JSONDecoder().decode(TextFormat.self, from: Data(wrong.utf8)) }
    }
}
