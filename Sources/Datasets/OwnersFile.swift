/// A file that names the owner of each example of another file.
public enum OwnersFile {
    /// The names in the file at `path`: the whole numbers of a `.npy` file, or the lines of a text file, plain or gzip.
    ///
    /// Blanks around a line's text do not count, and the last line may end or not. Equal texts name one owner. Throws
    /// ``DatasetError`` if the file cannot be read, has a line without a name (nobody can be protected who is not
    /// named), or is an array of other numbers or of more than one dimension.
    public static func read(_ path: String, limit: Int = FileContents.usualLimit) throws(DatasetError) -> [String] {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path, limit: limit)
        } catch {
            throw .file(error)
        }
        // What NumPy's files begin with.
        guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else { return try lines(of: bytes, path: path) }
        let array = try NumPyArray(bytes, path: path)
        guard array.columns == 1 else {
            throw .numPy(path: path, problem: .wrongShape(array.shape, expected: "one whole number for each example"))
        }
        guard let numbers = array.wholeNumbers() else {
            throw .numPy(path: path, problem: .ownersAreNotWhole(type: array.type))
        }
        return numbers.map { "\($0)" }
    }

    private static func lines(of bytes: [UInt8], path: String) throws(DatasetError) -> [String] {
        let invalid = bytes.withUnsafeBufferPointer { bytes in bytes.firstInvalidUTF8.map { bytes.place(of: $0) } }
        if let invalid { throw .invalidUTF8(path: path, line: invalid.line, column: invalid.column) }
        let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var lines = bytes.split(separator: lineFeed, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        let blanks: Set = [UInt8(ascii: " "), UInt8(ascii: "\t"), carriageReturn]
        var names: [String] = []
        for (number, line) in lines.enumerated() {
            guard let first = line.firstIndex(where: { !blanks.contains($0) }),
                let last = line.lastIndex(where: { !blanks.contains($0) })
            else { throw .missingOwner(path: path, line: number + 1) }
            names.append(String(decoding: line[first...last], as: UTF8.self))
        }
        return names
    }
}
