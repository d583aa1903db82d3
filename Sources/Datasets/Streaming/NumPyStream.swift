import Requirements

/// A `.npy` file whose rows are read from disk.
struct NumPyStream: Sendable {
    let file: StreamedFile
    let shape: [Int]
    let type: String
    private let elementType: NumPyType
    private let begin: Int
    /// The number of bytes of a row.
    private let rowSize: Int

    /// Opens the file at `path`. Throws ``DatasetError`` if it cannot be read, is no uncompressed `.npy` file in C
    /// order, or has another length than it promises.
    init(_ path: String) throws(DatasetError) {
        file = try StreamedFile(path)
        // Beyond any header.
        let head = try file.read([0..<min(file.size, 1 << 17)])
        if Gzip.isGzip(head) {
            throw .cannotStream(path: path, reason: "it is compressed by gzip. Decompress it, or read it into memory.")
        }
        if ZipArchive.isZip(head) {
            throw .cannotStream(
                path: path,
                reason: "it is an archive. Save its arrays by numpy.save, each in a file, or read it into memory.")
        }
        do throws(NumPyProblem) {
            let header = try NumPyHeader(head)
            guard let elementType = NumPyType(header.type) else { throw .unsupportedType(header.type) }
            guard let first = header.shape.first else {
                throw .wrongShape([], expected: "a first dimension that counts the examples")
            }
            guard NumPyArray.byteCount(header.shape, elementType) == file.size - header.length else {
                throw .sizeMismatch(shape: header.shape, type: header.type, bytes: file.size - header.length)
            }
            // Of one dimension, both orders are the same.
            guard !header.isFortranOrder || header.shape.count == 1 else { throw .fortranOrder }
            shape = header.shape
            type = header.type
            self.elementType = elementType
            begin = header.length
            rowSize = first == 0 ? 0 : (file.size - header.length) / first
        } catch {
            throw .numPy(path: path, problem: error)
        }
    }

    var path: String { file.path }
    var rows: Int { shape[0] }

    /// How many rows take some megabytes.
    var rowsPerBlock: Int { max(1, (1 << 22) / max(1, rowSize)) }

    /// An array of the rows at these places, in the order asked. Traps outside 0..<`rows`.
    func array(_ places: [Int]) throws(DatasetError) -> NamedArray {
        let ranges = places.map { place in
            require((0..<rows).contains(place), "Example \(place) lies outside a data set of \(rows).")
            return begin + place * rowSize..<begin + (place + 1) * rowSize
        }
        let array = NumPyArray(
            shape: [places.count] + shape.dropFirst(), type: type, elementType: elementType,
            elements: try file.read(ranges))
        return NamedArray(array, path: path)
    }
}
