import Foundation
import LinearAlgebra
import Synchronization
import Testing

@testable import Datasets

/// What is read from disk when it is needed is what is read at once, in every bit, or an error.
@Suite struct StreamedDatasetTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Whether `streamed` gives the same as `whole` in any order, at once and in parts, on several threads.
    private func agrees(_ streamed: some Dataset, _ whole: InMemoryDataset) throws -> Bool {
        guard streamed.count == whole.count, streamed.featureCount == whole.featureCount else { return false }
        guard streamed.notCovered == whole.notCovered else { return false }
        let count = whole.count
        var generator = SplitMix64(seed: 5)
        var orders = [Array(0..<count), (0..<count).reversed(), [], [count - 1], [0, 0, count - 1, 0]]
        for _ in 0..<5 { orders.append((0..<2 * count).map { _ in Int(generator.next() % UInt64(count)) }) }
        for order in orders {
            guard Self.isSame(try streamed.examples(at: order), whole.examples(at: order)) else { return false }
        }
        let agreements = Mutex(0)
        let all = orders
        DispatchQueue.concurrentPerform(iterations: all.count) { index in
            let read = try? streamed.examples(at: all[index])
            guard let read, Self.isSame(read, whole.examples(at: all[index])) else { return }
            agreements.withLock { $0 += 1 }
        }
        return agreements.withLock { $0 } == all.count
    }

    private static func isSame(_ first: Examples, _ second: Examples) -> Bool {
        func bits(_ matrix: Matrix) -> [UInt32] { matrix.withUnsafeElements { $0.map(\.bitPattern) } }
        guard bits(first.inputs) == bits(second.inputs), first.lengths == second.lengths else { return false }
        switch (first.targets, second.targets) {
        case (.values(let one), .values(let other)):
            return one.columns == other.columns && bits(one) == bits(other)
        default: return first.targets == second.targets
        }
    }

    // MARK: NumPy

    @Test func arrays() throws {
        let count = 37
        let floats = (0..<count * 6).map { Float($0 * 7919 % 1000) / 7 }
        let classes = try folder.write(npy("<i2", [count], (0..<count).map { Int16($0 % 3) }), "y.npy")
        let values = try folder.write(
            npy(">f8", [count, 2], (0..<2 * count).map { Double($0).bitPattern.byteSwapped }), "v.npy")
        for (type, bytes) in [
            ("<f4", npy("<f4", [count, 2, 3], floats)), ("<f8", npy("<f8", [count, 6], floats.map { Double($0) / 3 })),
            ("|u1", npy("|u1", [count, 6], floats.map { UInt8($0) })),
            (">i4", npy(">i4", [count, 6], floats.map { Int32($0).byteSwapped })),
        ] {
            let path = try folder.write(bytes, "x.npy")
            let streamed = try StreamedNumPyFile(path, labels: classes, classCount: 3)
            #expect(try agrees(streamed, NumPyFile(path, labels: classes, classCount: 3).dataset), "\(type)")
            #expect(streamed.featureType == type && streamed.hasByteFeatures == (type == "|u1"))
            #expect(try agrees(StreamedNumPyFile(path), NumPyFile(path).dataset))
            #expect(try agrees(StreamedNumPyFile(path, labels: values), NumPyFile(path, labels: values).dataset))
        }
    }

    @Test func sequences() throws {
        let count = 23
        let lengths = try folder.write(npy("<i4", [count], (0..<count).map { Int32(1 + $0 % 5) }), "l.npy")
        let ids = try folder.write(npy("<i8", [count, 5], (0..<count * 5).map { $0 * 31 % 97 }), "x.npy")
        let next = try folder.write(npy("<i8", [count, 5], (0..<count * 5).map { $0 * 17 % 91 - 1 }), "y.npy")
        let streamed = try StreamedNumPyFile(ids, labels: next, lengths: lengths)
        #expect(streamed.inputs == .tokens && streamed.exampleShape == [5])
        #expect(try agrees(streamed, NumPyFile(ids, labels: next, lengths: lengths).dataset))
        #expect(
            try agrees(StreamedNumPyFile(ids, inputs: .tokens), NumPyFile(ids, inputs: .tokens).dataset))
        let features = try folder.write(npy("<f4", [count, 5, 2], (0..<count * 10).map { Float($0) }), "f.npy")
        #expect(
            try agrees(StreamedNumPyFile(features, lengths: lengths), NumPyFile(features, lengths: lengths).dataset))
    }

    /// What is wrong is found when files are opened, in the same words as in memory.
    @Test func arraysThatAreWrong() throws {
        func same(_ open: () throws -> Void, _ read: () throws -> Void) {
            let opened = #expect(throws: DatasetError.self) { try open() }
            let read = #expect(throws: DatasetError.self) { try read() }
            #expect(opened == read, "\(String(describing: opened))")
        }
        // Behind the first block.
        let count = 700
        var numbers = [Double](repeating: 1, count: count * 1000)
        numbers[690 * 1000 + 5] = .nan
        let nan = try folder.write(npy("<f8", [count, 1000], numbers), "x.npy")
        same({ _ = try StreamedNumPyFile(nan) }, { _ = try NumPyFile(nan) })
        let x = try folder.write(npy("<i8", [3, 2], [1, 2, 3, 4, 5, 6]), "x.npy")
        let three = try folder.write(npy("<i8", [3], [0, 1, 2]), "y.npy")
        same(
            { _ = try StreamedNumPyFile(x, labels: three, classCount: 2) },
            { _ = try NumPyFile(x, labels: three, classCount: 2) })
        same({ _ = try StreamedNumPyFile(x, lengths: three) }, { _ = try NumPyFile(x, lengths: three) })
        let two = try folder.write(npy("<i8", [2], [0, 1]), "2.npy")
        same(
            { _ = try StreamedNumPyFile(x, labels: two, classCount: 2) },
            { _ = try NumPyFile(x, labels: two, classCount: 2) })
        same({ _ = try StreamedNumPyFile(x, lengths: two) }, { _ = try NumPyFile(x, lengths: two) })
        for bytes in [
            npy("<f4", [0, 3], [Float]()), npy("<f4", [3, 0], [Float]()), npy("<f4", [], [1] as [Float]),
            npy("<f4", [2, 2], [1] as [Float]), npy("<f2", [1], [1] as [Float]), Array("text".utf8), [],
        ] {
            let path = try folder.write(bytes, "x.npy")
            same({ _ = try StreamedNumPyFile(path) }, { _ = try NumPyFile(path) })
        }
        same({ _ = try StreamedNumPyFile("/nowhere") }, { _ = try NumPyFile("/nowhere") })
    }

    @Test func whatCannotBeStreamedSaysSo() throws {
        func reason(_ body: () throws -> Void) -> String {
            let error = #expect(throws: DatasetError.self) { try body() }
            guard case .cannotStream(_, let reason) = error else {
                Issue.record("\(String(describing: error))")
                return ""
            }
            return reason
        }
        let array = npy("<f4", [2, 2], [1, 2, 3, 4] as [Float])
        let compressed = try folder.write(gzipped(array), "x.npy.gz")
        #expect(reason { _ = try StreamedNumPyFile(compressed) }.contains("Decompress it"))
        let archive = try folder.write(zipped([("x.npy", array)]), "x.npz")
        #expect(reason { _ = try StreamedNumPyFile(archive) }.contains("numpy.save"))
        #expect(reason { _ = try StreamedNumPyFile(folder.path) }.contains("a folder"))
        #expect(reason { _ = try StreamedCSVFile(compressed, schema: schema) }.contains("Decompress it"))
        #expect(reason { _ = try StreamedTextFile(compressed, format: bytes) }.contains("Decompress it"))
        let fortran = try folder.write(npy("<f4", [2, 2], [1, 2, 3, 4] as [Float], order: "True"), "x.npy")
        #expect(throws: DatasetError.numPy(path: fortran, problem: .fortranOrder)) { try StreamedNumPyFile(fortran) }
        let column = try folder.write(npy("<f4", [2], [1, 2] as [Float], order: "True"), "x.npy")
        #expect(try StreamedNumPyFile(column).count == 2)
    }

    // MARK: CSV

    private var schema: CSVSchema {
        CSVSchema(
            columns: [
                .init("age", .numeric(.init(lower: 0, upper: 100, fill: 40, hasIndicator: true))),
                .init("job", .categorical(["clerk, senior", "two\nlines", "\"boss\""], unlisted: .ownSlot)),
                .init("note", .ignored), .init("answer", .label(classes: ["no", "yes"])),
            ], commentPrefix: "#", missingMarkers: ["", "?"])
    }

    /// Quotes, comments with quotes in them, blank lines, every kind of line end.
    private static let records = [
        "# written by \"nobody", "age,job,note,answer", "12,\"clerk, senior\",é,no", "", "?,\"two\nlines\",,yes",
        "  # another \" comment", "99.5,\"\"\"boss\"\"\",\"a\r\nb\",\"no\"", "7,other,# no comment,yes", "\t",
    ]

    @Test(arguments: ["\n", "\r\n", "\r"], [1, 2, 7, 64, 1 << 20])
    func records(_ end: String, _ blockSize: Int) throws {
        for tail in ["", end] {
            let text = "\u{feff}" + (Self.records + Self.records.dropFirst(2)).joined(separator: end) + tail
            let path = try folder.write(text, "x.csv")
            let streamed = try StreamedCSVFile(path, schema: schema, blockSize: blockSize)
            let whole = try CSVFile(path, schema: schema)
            #expect(streamed.count == 8 && streamed.schema == whole.schema)
            #expect(try agrees(streamed, whole.dataset))
            #expect(
                try CSVFile.texts(ofColumn: "note", in: path, schema: schema, allowsMissing: true)
                    == Array(repeatElement(["é", "", "a\r\nb", "# no comment"], count: 2).joined()))
        }
    }

    @Test func openRangesAreTakenInTheSameWay() throws {
        let open = CSVSchema(
            columns: [.init("x", .numeric(.init())), .init("k", .categorical(nil)), .init("t", .target())])
        let path = try folder.write("x,k,t\n1,b,5\n3,a,7\n2,c,9\n", "x.csv")
        let streamed = try StreamedCSVFile(
            path, schema: open, openRanges: .takenFromDataWithoutPrivacy, blockSize: 8)
        let whole = try CSVFile(path, schema: open, openRanges: .takenFromDataWithoutPrivacy)
        #expect(streamed.schema == whole.schema && streamed.notCovered.count == 3)
        #expect(try agrees(streamed, whole.dataset))
        #expect(throws: DatasetError.openSchema(columns: ["x", "k", "t"])) {
            try StreamedCSVFile(path, schema: open)
        }
    }

    @Test(arguments: [1, 5, 1 << 20])
    func recordsThatAreWrong(_ blockSize: Int) throws {
        let header = "age,job,note,answer\n1,a,,no\n\n"
        for text in [
            header + "1,a,,maybe\n", header + "x,a,,no\n2,a,,no\n", header + "1,a,no\n", header + "1,a,\"x,no\n2",
            header + "1,a,x\"y,no\n", header + "\u{e9},a,,no\n", "age,job,answer\n", "", "\n\n", "#only comments\n",
            "age,job,note,answer\n", "age,job,note,answer,age\n1,a,,no,1\n",
        ] {
            let path = try folder.write(text, "x.csv")
            let streamed = #expect(throws: DatasetError.self) {
                try StreamedCSVFile(path, schema: schema, blockSize: blockSize)
            }
            let whole = #expect(throws: DatasetError.self) { try CSVFile(path, schema: schema) }
            #expect(streamed == whole, "\(text): \(String(describing: streamed))")
        }
        let invalid = try folder.write(Array((header + "1,a,").utf8) + [0xff] + Array(",no\n".utf8), "x.csv")
        #expect(throws: DatasetError.invalidUTF8(path: invalid, line: 4, column: 5)) {
            try StreamedCSVFile(invalid, schema: schema, blockSize: blockSize)
        }
    }

    // MARK: Text

    private var bytes: TextFormat { get throws { try TextFormat(vocabulary: .bytes, length: 6) } }

    @Test(arguments: ["\n", "\r\n", "\r"], [1, 3, 1 << 20])
    func texts(_ end: String, _ blockSize: Int) throws {
        let lines = ["spam\tthe cat sat", "ham\té", "spam\tsat sat the cat the", "ham\tcat"]
        let path = try folder.write("\u{feff}" + lines.joined(separator: end), "t.txt")
        let words = try Vocabulary(words: ["the", "cat", "<unk>", "sat"])
        let characters = try Vocabulary(characters: ["a", "t", "\n", "<unk>"])
        for vocabulary in [.bytes, words, characters] {
            for format in [
                try TextFormat(vocabulary: vocabulary, length: 4, labels: ["ham", "spam"]),
                try TextFormat(vocabulary: vocabulary, length: 4),
                try TextFormat(vocabulary: vocabulary, length: 3, hasWindows: true),
            ] {
                let streamed = try StreamedTextFile(path, format: format, blockSize: blockSize)
                #expect(try agrees(streamed, TextFile(path, format: format).dataset), "\(format)")
            }
        }
    }

    @Test(arguments: [1, 4, 1 << 20])
    func textsThatAreWrong(_ blockSize: Int) throws {
        let labelled = try TextFormat(
            vocabulary: Vocabulary(words: ["a", "b"]), length: 2, labels: ["x", "y"])
        for text in ["x\ta\n\ny\tb", "x\ta\r\nz\tb\n", "x\ta\nx b\n", "x\ta b a\ny\tc\n", "x\ta\nx\t \n", ""] {
            let path = try folder.write(text, "t.txt")
            let streamed = #expect(throws: DatasetError.self) {
                try StreamedTextFile(path, format: labelled, blockSize: blockSize)
            }
            let whole = #expect(throws: DatasetError.self) { try TextFile(path, format: labelled) }
            #expect(streamed == whole, "\(text)")
        }
    }

    // MARK: Change

    /// Reading fails once the file is longer, shorter, of another time, another file, or none.
    @Test(arguments: ["longer", "shorter", "touched", "replaced", "gone"])
    func changedFilesAreNotRead(_ change: String) throws {
        let array = try folder.write(npy("<f4", [3, 1], [1, 2, 3] as [Float]), "x.npy")
        let table = try folder.write("age,job,note,answer\n1,a,,no\n2,b,,yes\n", "x.csv")
        let text = try folder.write("abc\ndef\n", "x.txt")
        let datasets: [(String, any Dataset)] = [
            (array, try StreamedNumPyFile(array)), (table, try StreamedCSVFile(table, schema: schema)),
            (text, try StreamedTextFile(text, format: bytes)),
        ]
        let manager = FileManager.default
        for (path, dataset) in datasets {
            let before = try dataset.examples(at: [1, 0])
            #expect(before.count == 2)
            // Some filesystems count time in seconds: a time long ago is another one in any case.
            let past = Date(timeIntervalSince1970: 1_000_000_000)
            let content = try Data(contentsOf: URL(fileURLWithPath: path))
            switch change {
            case "longer": try append(Data("x".utf8), to: path)
            case "shorter": try truncate(path, to: content.count - 1)
            case "touched": try manager.setAttributes([.modificationDate: past], ofItemAtPath: path)
            case "replaced":
                let date = try manager.attributesOfItem(atPath: path)[.modificationDate]
                let other = path + ".other"
                try content.write(to: URL(fileURLWithPath: other))
                try manager.setAttributes([.modificationDate: date!], ofItemAtPath: other)
                #expect(rename(other, path) == 0)
            default: try manager.removeItem(atPath: path)
            }
            for indices in [[1, 0], []] {
                #expect(throws: DatasetError.file(.changed(path: path))) { try dataset.examples(at: indices) }
            }
        }
        #expect("\(FileError.changed(path: "x"))".contains("has changed"))
    }

    private func append(_ data: Data, to path: String) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: data)
        try handle.close()
    }

    private func truncate(_ path: String, to size: Int) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.truncate(atOffset: UInt64(size))
        try handle.close()
    }

    @Test func placesOutsideTrap() async {
        await #expect(processExitsWith: .failure) {
            let folder = try TemporaryFolder()
            let path = try folder.write(npy("<f4", [3, 1], [1, 2, 3] as [Float]), "x.npy")
            _ = try StreamedNumPyFile(path).examples(at: [3])
        }
        await #expect(processExitsWith: .failure) {
            let folder = try TemporaryFolder()
            let path = try folder.write("abc\n", "x.txt")
            let format = try TextFormat(vocabulary: .bytes, length: 6)
            _ = try StreamedTextFile(path, format: format).examples(at: [1])
        }
    }
}
