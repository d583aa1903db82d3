import Datasets
import Testing
import _TestSupport

/// Who owns which example: files, columns, and splits.
@Suite struct OwnersTests {
    @Test func linesAndNumbersNameOwners() throws {
        let folder = try TemporaryFolder()
        for text in ["ada\nbob lee\nada", "ada\r\n bob lee\t\r\nada\r\n"] {
            _ = try folder.write(text, "owners.txt")
            #expect(try OwnersFile.read(folder("owners.txt")) == ["ada", "bob lee", "ada"])
        }
        for shape in [[3], [3, 1]] {
            _ = try folder.write(npy("<i8", shape, [-1, 1 << 40, -1] as [Int64]), "owners.npy")
            #expect(try OwnersFile.read(folder("owners.npy")) == ["-1", "1099511627776", "-1"])
        }
        _ = try folder.write("", "owners.txt")
        #expect(try OwnersFile.read(folder("owners.txt")).isEmpty)
    }

    @Test func filesThatNameNobodyThrow() throws {
        let folder = try TemporaryFolder()
        let path = folder("owners.txt")
        for (text, line) in [("ada\n\nbob", 2), ("ada\n \t\r\n", 2), ("\n", 1)] {
            _ = try folder.write(text, "owners.txt")
            let error = DatasetError.missingOwner(path: path, line: line)
            #expect(throws: error) { try OwnersFile.read(path) }
            #expect("\(error)".contains("line \(line): the owner is missing"))
        }
        _ = try folder.write([0x61, 0xff], "owners.txt")
        #expect(throws: DatasetError.invalidUTF8(path: path, line: 1, column: 2)) { try OwnersFile.read(path) }
        _ = try folder.write(npy("<f4", [2], [1, 2] as [Float]), "owners.txt")
        #expect(throws: DatasetError.numPy(path: path, problem: .ownersAreNotWhole(type: "<f4"))) {
            try OwnersFile.read(path)
        }
        _ = try folder.write(npy("<i8", [1, 2], [1, 2] as [Int64]), "owners.txt")
        #expect(throws: DatasetError.self) { try OwnersFile.read(path) }
        #expect(throws: DatasetError.self) { try OwnersFile.read(folder("none")) }
    }

    private static let schema = CSVSchema(columns: [
        .init("x", .numeric(.init(lower: 0, upper: 1))), .init("y", .label(classes: ["no", "yes"])),
    ])

    /// A column that names owners may be there or not, listed or not, and is no feature.
    @Test func aColumnOfOwnersIsNoFeature() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("who,x,y\n\"lee, ada\",0.5,no\nbob,1,yes\n", "with.csv")
        _ = try folder.write("x,y\n0.5,no\n1,yes\n", "without.csv")
        let (with, without) = (folder("with.csv"), folder("without.csv"))
        var listed = Self.schema
        listed.columns.insert(.init("who", .categorical(nil)), at: 0)
        let plain = try CSVFile(without, schema: Self.schema).dataset
        for schema in [Self.schema, listed] {
            let ignoring = try #require(try schema.ignoring("who", in: with))
            #expect(try CSVFile(with, schema: ignoring).dataset.hasSameExamples(as: plain))
            #expect(try CSVFile.texts(ofColumn: "who", in: with, schema: ignoring) == ["lee, ada", "bob"])
            #expect(try schema.ignoring("who", in: without) == nil)
            #expect(ignoring.without(optionalColumn: "who") == Self.schema)
        }
        #expect(throws: DatasetError.self) { try Self.schema.ignoring("y", in: with) }
        #expect(throws: DatasetError.headerMismatch(path: without, column: "who", problem: .missing)) {
            try CSVFile.texts(ofColumn: "who", in: without, schema: Self.schema)
        }
        _ = try folder.write("who,x,y\n,0.5,no\n", "with.csv")
        #expect(throws: DatasetError.missingOwner(path: with, line: 2)) {
            try CSVFile.texts(ofColumn: "who", in: with, schema: listed)
        }
    }

    /// Without a header a column is told by its place, and stays in the schema.
    @Test func aFileWithoutAHeaderHasItsColumnsByPlace() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("ada,0.5,no\nbob,1,yes\n", "data.csv")
        var schema = Self.schema
        schema.hasHeader = false
        #expect(try schema.ignoring("who", in: folder("data.csv")) == nil)
        schema.columns.insert(.init("who", .categorical(nil)), at: 0)
        let ignoring = try #require(try schema.ignoring("who", in: folder("data.csv")))
        #expect(ignoring.without(optionalColumn: "who") == ignoring)
        #expect(try CSVFile.texts(ofColumn: "who", in: folder("data.csv"), schema: ignoring) == ["ada", "bob"])
        #expect(try CSVFile(folder("data.csv"), schema: ignoring).dataset.featureCount == 1)
    }

    /// **Guarantee:** nobody has examples in both parts.
    @Test func aSplitByOwnerTearsNobody() {
        let owners = (0..<200).map { $0 * 7 % 30 }
        let data = InMemoryDataset(inputs: (0..<200).map { [Float($0)] }, targets: (0..<200).map(Float.init))
        func found(in part: InMemoryDataset) -> Set<Int> {
            Set((0..<part.count).map { owners[Int(part.inputs[$0, 0])] })
        }
        for seed in 0..<5 as Range<UInt64> {
            let (train, test, trainOwners) = data.split(testShare: 0.2, seed: seed, owners: owners)
            #expect(found(in: train).isDisjoint(with: found(in: test)) && found(in: test).count == 6)
            #expect(train.count + test.count == 200)
            #expect(trainOwners == (0..<train.count).map { owners[Int(train.inputs[$0, 0])] })
            // The broken twin: examples are split, and people with them.
            let torn = data.split(testShare: 0.2, seed: seed)
            #expect(!found(in: torn.train).isDisjoint(with: found(in: torn.test)))
        }
    }
}
