/// Token sequences from a text file that are read from disk when they are needed.
///
/// Examples are those of ``TextFile``, in every bit. Memory holds where each example begins (8 bytes an example) and
/// what is asked for. Opening reads the whole file once, so that what is wrong with it is found before training.
///
/// - Warning: which parts of the file are read shows which examples a step draws, in the system's page cache and in the
///   time that reading takes. Use a machine whose other users need not be kept from it.
public struct StreamedTextFile: Dataset {
    private let file: StreamedFile
    private let encoder: TextEncoder
    /// Where each example begins, and where the file ends.
    private let offsets: [Int]

    /// The number of examples.
    public var count: Int { offsets.count - 1 }

    /// The number of positions of each example.
    public var featureCount: Int { encoder.format.length }

    /// What no guarantee covers.
    public var notCovered: [String] { encoder.format.notCovered }

    /// Opens the file at `path`, which must not be compressed.
    ///
    /// Throws ``DatasetError`` as ``TextFile`` does, ``DatasetError/cannotStream(path:reason:)`` for a compressed file,
    /// and ``DatasetError/recordTooLong(path:line:limit:)`` for a line of more than 64 MiB.
    public init(_ path: String, format: TextFormat, isLabelled: Bool = true) throws(DatasetError) {
        try self.init(path, format: format, isLabelled: isLabelled, blockSize: RecordBlocks.usualSize)
    }

    init(
        _ path: String, format: TextFormat, isLabelled: Bool = true, blockSize: Int
    ) throws(DatasetError) {
        let file = try StreamedFile(uncompressed: path)
        let encoder = TextEncoder(format, isLabelled: isLabelled)
        var index = TextIndex(encoder, path: path)
        var blocks = RecordBlocks(file, RecordBlocks.Ends(), size: blockSize)
        while let block = try blocks.next() {
            try block.bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
                try index.add(bytes, offset: block.offset, firstLine: block.firstLine)
            }
        }
        guard !index.offsets.isEmpty else { throw .noExamples(path: path) }
        self.file = file
        self.encoder = encoder
        offsets = index.offsets + [file.size]
    }

    /// The examples at `indices`, in that order; an index may occur again. Traps if one is not in 0..<`count`.
    ///
    /// Throws ``FileError/changed(path:)`` as a ``DatasetError`` if the file is not what it was when it was opened.
    public func examples(at indices: [Int]) throws -> Examples {
        let ranges = indices.map(offsets.range(of:))
        let bytes = try file.read(ranges)
        var begin = 0
        let places = ranges.map { range in
            defer { begin += range.count }
            return begin..<begin + range.count
        }
        do throws(TextFault) {
            return try bytes.withUnsafeBufferPointer { (bytes) throws(TextFault) in
                try encoder.examples(bytes, places)
            }
        } catch {
            // What was in order when the file was opened is not any more.
            throw file.hasChanged
        }
    }
}
