import Requirements

extension StreamedFile {
    /// Opens the file at `path`. Throws ``DatasetError/cannotStream(path:reason:)`` if it is compressed by gzip.
    convenience init(uncompressed path: String) throws(DatasetError) {
        try self.init(path)
        if Gzip.isGzip(try read([0..<min(size, 2)])) {
            throw .cannotStream(path: path, reason: "it is compressed by gzip. Decompress it, or read it into memory.")
        }
    }
}

extension [Int] {
    /// The range of the record at `place`, of which these are the begins and the last one's end. Traps outside of them.
    func range(of place: Int) -> Range<Int> {
        require(
            place >= 0 && place < count - 1, "Example \(place) lies outside a data set of \(Swift.max(0, count - 1)).")
        return self[place]..<self[place + 1]
    }
}
