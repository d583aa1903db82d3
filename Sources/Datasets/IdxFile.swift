import LinearAlgebra

/// Files in the idx format, plain or gzip: the images and labels of MNIST and its kin (yann.lecun.com/exdb/mnist).
///
/// A file is 0, 0, the type of its elements (8 for unsigned bytes), the number of dimensions, each dimension as four
/// bytes (big-endian), and the elements.
public enum IdxFile {
    /// Images of one shape.
    public struct Images: Sendable {
        /// images × (height · width): each image's rows one after the other, scaled to [0, 1] by the constant 255.
        public let pixels: Matrix
        /// The number of rows of an image.
        public let height: Int
        /// The number of columns of an image.
        public let width: Int
    }

    /// The images of the file at `path`, which needs three dimensions.
    ///
    /// Throws ``DatasetError`` if the file cannot be read, if its header is wrong or promises another length than the
    /// file has (nothing is allocated then), if there are no images, or if the file or the matrix takes more than
    /// `limit` bytes.
    public static func readImages(
        _ path: String, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) -> Images {
        let (bytes, dimensions) = try read(path, rank: 3, limit: limit)
        // Only then does the product of two dimensions alone fit into an Int.
        guard bytes.count > 0 else { throw .noExamples(path: path) }
        let (count, features) = (dimensions[0], dimensions[1] * dimensions[2])
        guard bytes.count <= limit / MemoryLayout<Float>.stride else {
            throw .tooLarge(path: path, examples: count, features: features, limit: limit)
        }
        var pixels = Matrix(rows: count, columns: features)
        // Each quotient rounded once, as division does; multiplying by 1/255 would round twice.
        let values = (0...255).map { Float($0) / 255 }
        pixels.withUnsafeMutableElements { target in
            // Members write disjoint elements.
            nonisolated(unsafe) let target = target
            bytes.withUnsafeBufferPointer { source in
                nonisolated(unsafe) let source = source
                Threads.withTeam(of: target.count / Threads.workPerThread(1 << 18)) { member in
                    for index in member.share(of: target.indices) { target[index] = values[Int(source[index])] }
                }
            }
        }
        return Images(pixels: pixels, height: dimensions[1], width: dimensions[2])
    }

    /// The labels of the file at `path`, which needs one dimension.
    ///
    /// Throws ``DatasetError`` as ``readImages(_:limit:)`` does, and if a label is not in 0..<`classCount`, which must
    /// be in 2...1,000,000 and public.
    public static func readLabels(
        _ path: String, classCount: Int, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) -> [Int] {
        try Targets.check(classCount: classCount)
        let (bytes, _) = try read(path, rank: 1, limit: limit)
        guard bytes.count > 0 else { throw .noExamples(path: path) }
        if let index = bytes.firstIndex(where: { Int($0) >= classCount }) {
            throw .labelOutOfRange(
                path: path, index: index - bytes.startIndex, label: Int(bytes[index]), classCount: classCount)
        }
        return bytes.map(Int.init)
    }

    private static func read(
        _ path: String, rank: Int, limit: Int
    ) throws(DatasetError) -> (bytes: ArraySlice<UInt8>, dimensions: [Int]) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path, limit: limit)
        } catch {
            throw .file(error)
        }
        guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
            throw .notIdx(path: path, magic: Array(bytes.prefix(4)))
        }
        guard bytes[2] == 8 else { throw .unsupportedIdxType(path: path, type: bytes[2]) }
        guard bytes[3] == rank else { throw .wrongIdxRank(path: path, rank: Int(bytes[3]), expected: rank) }
        let start = 4 + 4 * rank
        guard bytes.count >= start else { throw .notIdx(path: path, magic: Array(bytes.prefix(4))) }
        let dimensions = (0..<rank).map { dimension in
            bytes[4 + 4 * dimension..<8 + 4 * dimension].reduce(0) { $0 << 8 | Int($1) }
        }
        var promised: Int? = 1
        for dimension in dimensions {
            guard let factor = promised else { break }
            let (product, overflow) = factor.multipliedReportingOverflow(by: dimension)
            promised = overflow ? nil : product
        }
        guard promised == bytes.count - start else {
            throw .idxSizeMismatch(path: path, dimensions: dimensions, promised: promised, bytes: bytes.count - start)
        }
        return (bytes[start...], dimensions)
    }
}
