import LinearAlgebra

/// Token sequences from a text file, plain or gzip: an example a line, or a window; see ``TextFormat``.
///
///     let words = try Vocabulary(contentsOf: "words.txt", unit: .words)
///     let format = try TextFormat(vocabulary: words, length: 40, labels: ["ham", "spam"])
///     let file = try TextFile("messages.txt", format: format)
public struct TextFile: Sendable {
    /// Token ids, −1 in the place of padding, with lengths; targets are classes, or each position's next token.
    public let dataset: InMemoryDataset

    /// Reads the file at `path`. `isLabelled` says whether lines begin with the labels that the format has; without
    /// them targets are rows of no numbers, enough to predict.
    ///
    /// **Guarantee:** an example is a function of its own line or window and of the format: it depends on nothing else
    /// of the text. Where windows are is a function of the text before them: the unit of privacy is the window.
    ///
    /// Throws ``DatasetError`` with the line if the file cannot be read, has no examples, an empty line, a token or a
    /// label that is not known, or is not UTF-8 (of words and characters), or if it, what it inflates to, or its matrix
    /// has more than `limit` bytes.
    public init(
        _ path: String, format: TextFormat, isLabelled: Bool = true, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path, limit: limit)
        } catch {
            throw .file(error)
        }
        let encoder = TextEncoder(format, isLabelled: isLabelled)
        let examples = try bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
            var index = TextIndex(encoder, path: path)
            try index.add(bytes)
            let offsets = index.offsets + [bytes.count]
            guard !index.offsets.isEmpty else { throw .noExamples(path: path) }
            guard index.offsets.count <= limit / (format.length * MemoryLayout<Float>.stride) else {
                throw .tooLarge(path: path, examples: index.offsets.count, features: format.length, limit: limit)
            }
            do throws(TextFault) {
                return try encoder.examples(bytes, index.offsets.indices.map(offsets.range(of:)))
            } catch {
                throw error.error(path, in: bytes, firstLine: 1, labels: format.labels ?? [])
            }
        }
        dataset = InMemoryDataset(
            inputs: examples.inputs, targets: examples.targets, lengths: examples.lengths,
            notCovered: format.notCovered)
    }
}
