import Foundation
import PrivateTraining
import Requirements

/// Where the examples come from.
///
///     {"kind": "idx", "path": "data/mnist"}
///     {"kind": "csv", "path": "adult.data.gz", "testPath": "adult.test.gz", "schema": "adult-schema.json"}
///     {"kind": "digits"}
///
/// A schema is named by its file, relative to the working folder.
struct DataConfiguration: Codable, Hashable, Sendable {
    enum Kind: String, Codable, CaseIterable {
        /// A folder with the four files of MNIST and its kin.
        case idx
        /// A CSV file, plain or gzip, and perhaps another one to test on.
        case csv
        /// The digits that ship with the package.
        case digits
    }

    var kind: Kind
    var path: String?
    var testPath: String?
    /// The file that says what the columns of a CSV file mean.
    var schema: String?
    /// Whether bounds and categories that the schema leaves open may be taken from the data: not covered by privacy.
    var takesOpenRangesFromDataWithoutPrivacy: Bool?

    init(_ kind: Kind, path: String? = nil) {
        self.kind = kind
        self.path = path
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, path, testPath, schema, takesOpenRangesFromDataWithoutPrivacy
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        kind = try box.decodeChoice(Kind.self, forKey: .kind)
        path = try box.decodeIfPresent(String.self, forKey: .path)
        testPath = try box.decodeIfPresent(String.self, forKey: .testPath)
        schema = try box.decodeIfPresent(String.self, forKey: .schema)
        takesOpenRangesFromDataWithoutPrivacy =
            try box.decodeIfPresent(Bool.self, forKey: .takesOpenRangesFromDataWithoutPrivacy)
    }

    /// The kind of data that is at `path`: a folder holds idx files, a file is CSV.
    static func guess(path: String) -> DataConfiguration {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return DataConfiguration(isFolder.boolValue ? .idx : .csv, path: path)
    }
}

/// Data that has been read.
struct LoadedData {
    let training: InMemoryDataset
    let test: InMemoryDataset?
    /// Rows and columns of images; nil where examples are none.
    var imageShape: [Int]?
    /// A CSV file's schema with nothing open.
    var schema: CSVSchema?
}

extension DataConfiguration {
    /// Reads the files. Throws `DatasetError` and `TrainingConfigurationError`, also if the test data is the training
    /// data: the same file over whatever links, or a file with the same examples.
    func load() throws -> LoadedData {
        try refuseUnusedSettings()
        switch kind {
        case .digits:
            let split = Digits.split
            return LoadedData(training: split.train, test: split.test)
        case .idx:
            let folder = try IdxFolder(try requiredPath())
            return LoadedData(
                training: folder.train, test: folder.test, imageShape: [folder.height, folder.width])
        case .csv:
            let open: CSVFile.OpenRanges =
                takesOpenRangesFromDataWithoutPrivacy == true ? .takenFromDataWithoutPrivacy : .refused
            let path = try requiredPath()
            if let testPath, FileContents.isSameFile(path, testPath) {
                throw TrainingConfigurationError.testsOnTrainingData(training: path, test: testPath)
            }
            let file = try CSVFile(path, schema: try readSchema(), openRanges: open)
            let test = try testPath.map { try CSVFile($0, schema: file.schema).dataset }
            if let testPath, let test, try file.dataset.hasSameExamples(as: test) {
                throw TrainingConfigurationError.testsOnTrainingData(training: path, test: testPath)
            }
            return LoadedData(training: file.dataset, test: test, schema: file.schema)
        }
    }

    /// Whether `examples` are the ones that a run with this configuration trains on, as far as its files are still
    /// where they were. `schema` is the one that the run wrote down. Throws what reading the files throws.
    func trains(on examples: InMemoryDataset, schema: CSVSchema?) throws -> Bool {
        switch kind {
        case .digits: return Digits.split.train.inputs == examples.inputs
        // Whatever labels they have, as for the test set of one folder.
        case .idx: return try IdxFolder(try requiredPath()).train.inputs == examples.inputs
        case .csv:
            let path = try requiredPath()
            return try CSVFile(path, schema: schema ?? readSchema()).dataset.hasSameExamples(as: examples)
        }
    }

    /// A schema beside data that needs none would look as if it had been followed.
    private func refuseUnusedSettings() throws {
        guard kind != .csv else { return }
        let given: [(name: String, isSet: Bool)] = [
            ("path", kind == .digits && path != nil), ("testPath", testPath != nil), ("schema", schema != nil),
            (
                "takesOpenRangesFromDataWithoutPrivacy",
                takesOpenRangesFromDataWithoutPrivacy == true
            ),
        ]
        let unused = given.filter(\.isSet).map(\.name)
        guard unused.isEmpty else {
            throw TrainingConfigurationError.unused(
                what: unused, reason: "data of the kind \(kind.rawValue) does without; leave it out, or use CSV data")
        }
    }

    private func requiredPath() throws -> String {
        guard let path else {
            throw TrainingConfigurationError.missing(
                what: "The path of the data", remedy: "give it with --data, or as \"path\" under \"data\"")
        }
        return path
    }

    private func readSchema() throws -> CSVSchema {
        guard let schema else {
            throw TrainingConfigurationError.missing(
                what: "The schema of the CSV file",
                remedy: "give a JSON file with --schema that says what its columns mean and what bounds they have")
        }
        return try CSVSchema(contentsOf: schema)
    }
}
