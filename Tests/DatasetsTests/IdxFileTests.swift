import Datasets
import Foundation
import LinearAlgebra
import Testing

@Suite struct IdxFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// An idx file with the given dimensions and elements.
    static func file(_ dimensions: [UInt32], _ elements: [UInt8], type: UInt8 = 8) -> [UInt8] {
        [0, 0, type, UInt8(dimensions.count)]
            + dimensions.flatMap { dimension in (0..<4).map { UInt8(truncatingIfNeeded: dimension >> (24 - 8 * $0)) } }
            + elements
    }

    @Test func imagesAreScaledByTheConstant() throws {
        let elements: [UInt8] = [0, 1, 127, 254, 255, 51, 2, 3, 4, 5, 6, 7]
        let bytes = Self.file([2, 2, 3], elements)
        for path in [
            try folder.write(bytes, "plain"), try folder.write(gzipped(bytes), "compressed"),
            try folder.write(gzipped(bytes) + [0, 0, 0], "padded"),
        ] {
            let images = try IdxFile.readImages(path)
            #expect(images.height == 2 && images.width == 3)
            #expect(images.pixels == Matrix(rows: 2, columns: 6, elements: elements.map { Float($0) / 255 }))
        }
    }

    /// **Guarantee:** an image's pixels depend on that image alone; a brightest pixel elsewhere changes nothing.
    @Test func scalingDoesNotLookAtTheData() throws {
        let dim = try IdxFile.readImages(folder.write(Self.file([1, 1, 2], [1, 2]), "dim"))
        let bright = try IdxFile.readImages(folder.write(Self.file([2, 1, 2], [1, 2, 255, 255]), "bright"))
        #expect(dim.pixels[0, 1] == bright.pixels[0, 1])
    }

    @Test func labelsAreRead() throws {
        let path = try folder.write(Self.file([4], [3, 0, 9, 1]), "labels")
        #expect(try IdxFile.readLabels(path, classCount: 10) == [3, 0, 9, 1])
        #expect(throws: DatasetError.labelOutOfRange(path: path, index: 2, label: 9, classCount: 9)) {
            try IdxFile.readLabels(path, classCount: 9)
        }
        for count in [-1, 0, 1, 1_000_001] {
            #expect(throws: DatasetError.invalidClassCount(count)) { try IdxFile.readLabels(path, classCount: count) }
        }
    }

    /// Labels that begin at 1, as EMNIST's letters do: 27 classes, of which the first is empty.
    @Test func labelsMayBeginAtOne() throws {
        let path = try folder.write(Self.file([26], Array(1...26)), "labels")
        #expect(try IdxFile.readLabels(path, classCount: 27) == Array(1...26))
        let error = #expect(throws: DatasetError.self) { try IdxFile.readLabels(path, classCount: 26) }
        #expect(error == .labelOutOfRange(path: path, index: 25, label: 26, classCount: 26))
        #expect(error?.description.contains("--classes") == true && error?.description.contains("0..<26") == true)
    }

    @Test func theHeaderMustFitTheFile() throws {
        let short = try folder.write(Self.file([2, 2, 2], [1, 2, 3, 4, 5, 6, 7]), "short")
        #expect(throws: DatasetError.idxSizeMismatch(path: short, dimensions: [2, 2, 2], promised: 8, bytes: 7)) {
            try IdxFile.readImages(short)
        }
        let trailing = try folder.write(Self.file([1, 1, 1], [1, 2]), "trailing")
        #expect(throws: DatasetError.idxSizeMismatch(path: trailing, dimensions: [1, 1, 1], promised: 1, bytes: 2)) {
            try IdxFile.readImages(trailing)
        }
        // 2⁶² bytes, and more than Int counts: neither may be asked of the memory.
        let huge = try folder.write(Self.file([1 << 31, 1 << 31, 1], [1]), "huge")
        #expect(
            throws: DatasetError.idxSizeMismatch(
                path: huge, dimensions: [1 << 31, 1 << 31, 1], promised: 1 << 62, bytes: 1)
        ) { try IdxFile.readImages(huge) }
        let largest = [UInt32](repeating: .max, count: 3)
        let overflowing = try folder.write(Self.file(largest, [1]), "overflowing")
        #expect(
            throws: DatasetError.idxSizeMismatch(
                path: overflowing, dimensions: largest.map(Int.init), promised: nil, bytes: 1)
        ) { try IdxFile.readImages(overflowing) }
        // Nothing times what overflows is nothing; it must not trap on the way.
        let none = try folder.write(Self.file([0, .max, .max], []), "none")
        #expect(throws: DatasetError.noExamples(path: none)) { try IdxFile.readImages(none) }
    }

    @Test func otherFilesAreRefused() throws {
        let text = try folder.write("P5 28 28", "text")
        #expect(throws: DatasetError.notIdx(path: text, magic: Array("P5 2".utf8))) { try IdxFile.readImages(text) }
        let cut = try folder.write(Self.file([1, 1, 1], []).prefix(15), "cut")
        #expect(throws: DatasetError.notIdx(path: cut, magic: [0, 0, 8, 3])) { try IdxFile.readImages(cut) }
        let floats = try folder.write(Self.file([1], [0, 0, 0, 0], type: 13), "floats")
        #expect(throws: DatasetError.unsupportedIdxType(path: floats, type: 13)) {
            try IdxFile.readLabels(floats, classCount: 2)
        }
        let labels = try folder.write(Self.file([1], [0]), "labels")
        #expect(throws: DatasetError.wrongIdxRank(path: labels, rank: 1, expected: 3)) {
            try IdxFile.readImages(labels)
        }
    }

    @Test func theMatrixHasToFitTheLimit() throws {
        let path = try folder.write(Self.file([10, 2, 5], Array(repeating: 1, count: 100)), "images")
        #expect(throws: DatasetError.tooLarge(path: path, examples: 10, features: 10, limit: 399)) {
            try IdxFile.readImages(path, limit: 399)
        }
        #expect(try IdxFile.readImages(path, limit: 400).pixels.rows == 10)
    }
}

@Suite struct IdxFolderTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        _ = try folder.write(IdxFileTests.file([3, 1, 2], [0, 51, 102, 153, 204, 255]), "train-images-idx3-ubyte")
        _ = try folder.write(gzipped(IdxFileTests.file([3], [2, 1, 0])), "train-labels-idx1-ubyte.gz")
        _ = try folder.write(gzipped(IdxFileTests.file([1, 1, 2], [255, 0])), "t10k-images-idx3-ubyte.gz")
        _ = try folder.write(IdxFileTests.file([1], [1]), "t10k-labels-idx1-ubyte")
    }

    @Test func readsTheFourFiles() throws {
        let set = try IdxFolder(folder.path, classCount: 3)
        #expect(set.train.count == 3 && set.test.count == 1)
        #expect(set.height == 1 && set.width == 2)
        #expect(set.train.targets == .classes([2, 1, 0], classCount: 3))
        #expect(set.test.inputs == Matrix(rows: 1, columns: 2, elements: [1, 0]))
    }

    @Test func countsAndShapesMustAgree() throws {
        let labels = try folder.write(IdxFileTests.file([2], [1, 1]), "t10k-labels-idx1-ubyte")
        #expect(
            throws: DatasetError.countMismatch(
                examples: folder("t10k-images-idx3-ubyte.gz"), exampleCount: 1, labels: labels, labelCount: 2)
        ) { try IdxFolder(folder.path) }
        _ = try folder.write(IdxFileTests.file([2, 2, 1], [1, 1, 1, 1]), "t10k-images-idx3-ubyte")
        #expect(throws: DatasetError.exampleShapeMismatch(train: [1, 2], test: [2, 1])) { try IdxFolder(folder.path) }
    }

    @Test func aMissingFileIsNamed() throws {
        let empty = try TemporaryFolder()
        let names = [
            "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte",
            "train-images.idx3-ubyte.gz",
        ]
        let error = #expect(throws: DatasetError.missingFile(folder: empty.path, names: names)) {
            try IdxFolder(empty.path)
        }
        for name in names { #expect(error?.description.contains("'\(name)'") == true) }
    }

    /// Names with a full stop, each of the four, plain and compressed.
    @Test func namesMayHaveAFullStop() throws {
        let expected = try IdxFolder(folder.path, classCount: 3)
        for name in try folder.names {
            try FileManager.default.moveItem(
                atPath: folder(name), toPath: folder(name.replacing("-idx", with: ".idx")))
        }
        #expect(try folder.names.allSatisfy { $0.contains(".idx") })
        let set = try IdxFolder(folder.path, classCount: 3)
        #expect(set.train.inputs == expected.train.inputs && set.train.targets == expected.train.targets)
        #expect(set.test.inputs == expected.test.inputs && set.test.targets == expected.test.targets)
    }
}
