import Datasets

extension FuzzTarget {
    /// Text over bytes and over words, in labelled lines and in windows; and the bytes as a list of words.
    static let text = FuzzTarget(name: "text") { bytes in
        let path = ScratchFile.holding(bytes)
        _ = try? Vocabulary(contentsOf: path, unit: .words)
        _ = try? Vocabulary(contentsOf: path, unit: .characters)
        _ = try? OwnersFile.read(path, limit: fileLimit)
        let words = try Vocabulary(words: [Vocabulary.unknown, "a", "b", "ham"])
        let formats = [
            try TextFormat(vocabulary: .bytes, length: 8, hasWindows: true),
            try TextFormat(vocabulary: words, length: 3, labels: ["ham", "spam"]),
        ]
        for format in formats {
            guard let file = try? TextFile(path, format: format, isLabelled: format.labels != nil, limit: fileLimit),
                let streamed = try? StreamedTextFile(path, format: format, isLabelled: format.labels != nil)
            else { continue }
            let examples = try streamed.examples(at: Array(0..<streamed.count))
            expect(examples.inputs == file.dataset.inputs, "A streamed text has other tokens.")
        }
        _ = try TextFile(path, format: formats[1], limit: fileLimit)
    }
}
