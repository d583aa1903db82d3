import Foundation
import PrivateTraining
import Requirements

/// Where the examples come from.
///
///     {"kind": "idx", "path": "data/mnist", "classCount": 10}
///     {"kind": "csv", "path": "adult.data.gz", "testPath": "adult.test.gz", "schema": "adult-schema.json"}
///     {"kind": "numpy", "path": "X.npy", "labels": "y.npy", "classCount": 10}
///     {"kind": "numpy", "path": "mnist.npz", "classCount": 10}
///     {"kind": "digits"}
///
/// Paths are relative to the working folder.
struct DataConfiguration: Codable, Hashable, Sendable {
    enum Kind: String, Codable, CaseIterable {
        /// A folder with the four files of MNIST and its kin.
        case idx
        /// A CSV file, plain or gzip, and perhaps another one to test on.
        case csv
        /// A `.npy` file and another one for its labels, or a `.npz` archive.
        case numpy
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
    /// The `.npy` file with the labels of `path`.
    var labels: String?
    /// The `.npy` file with the labels of `testPath`, or of the test set in the archive at `path`.
    var testLabels: String?
    /// The number of classes of idx and NumPy files: public, and never taken from the data. Nil for 10 of idx files,
    /// and for NumPy's labels that are no classes.
    var classCount: Int?

    init(_ kind: Kind, path: String? = nil) {
        self.kind = kind
        self.path = path
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, path, testPath, schema, takesOpenRangesFromDataWithoutPrivacy, labels, testLabels, classCount

        /// The keys that data of a kind has: another one would look as if it had been followed.
        static func allowed(for kind: Kind) -> [CodingKeys] {
            switch kind {
            case .idx: [.kind, .path, .classCount]
            case .csv: [.kind, .path, .testPath, .schema, .takesOpenRangesFromDataWithoutPrivacy]
            case .numpy: [.kind, .path, .labels, .testPath, .testLabels, .classCount]
            case .digits: [.kind]
            }
        }
    }

    init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        kind = try box.decodeChoice(Kind.self, forKey: .kind)
        try decoder.refuseUnknownKeys(except: CodingKeys.allowed(for: kind).map(\.stringValue))
        path = try box.decodeIfPresent(String.self, forKey: .path)
        testPath = try box.decodeIfPresent(String.self, forKey: .testPath)
        schema = try box.decodeIfPresent(String.self, forKey: .schema)
        takesOpenRangesFromDataWithoutPrivacy =
            try box.decodeIfPresent(Bool.self, forKey: .takesOpenRangesFromDataWithoutPrivacy)
        labels = try box.decodeIfPresent(String.self, forKey: .labels)
        testLabels = try box.decodeIfPresent(String.self, forKey: .testLabels)
        classCount = try box.decodeIfPresent(Int.self, forKey: .classCount)
    }

    /// The kind of data that is at `path`: a folder holds idx files, names that end with `.npy` or `.npz` are NumPy's,
    /// other files are CSV. Throws `TrainingConfigurationError` if there is nothing.
    static func guess(path: String) throws -> DataConfiguration {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TrainingConfigurationError.noSuchFile([path])
        }
        if isFolder.boolValue { return DataConfiguration(.idx, path: path) }
        return DataConfiguration(isNumPy(path) ? .numpy : .csv, path: path)
    }

    /// Whether the name of `path` is that of one of NumPy's files.
    static func isNumPy(_ path: String) -> Bool {
        let name = path.lowercased()
        return [".npy", ".npz", ".npy.gz"].contains(where: name.hasSuffix)
    }

    /// The same data whatever the working folder is, which `folder` is at present.
    func withAbsolutePaths(from folder: String = FileManager.default.currentDirectoryPath) -> DataConfiguration {
        var result = self
        for key in Self.paths {
            result[keyPath: key] = self[keyPath: key].map { Self.absolute($0, from: folder) }
        }
        return result
    }

    /// The path of the same file whatever the working folder is, which `folder` is at present.
    static func absolute(
        _ path: String, from folder: String = FileManager.default.currentDirectoryPath
    ) -> String {
        path.hasPrefix("/") ? path : (folder as NSString).appendingPathComponent(path)
    }

    private static var paths: [WritableKeyPath<DataConfiguration, String?>] {
        [\.path, \.testPath, \.schema, \.labels, \.testLabels]
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
    /// Whether features are unsigned bytes, which are scaled by 1/255; nil where a file cannot have others.
    var byteInputs: Bool?
    /// The owner of each training example, where they were asked for.
    var owners: [String]?
    /// The column that the owners stand in, which is not in the schema; nil where they stand in a file.
    var ownerColumn: String?
}

extension DataConfiguration {
    /// Reads the files. Throws `DatasetError` and `TrainingConfigurationError`, also if the test data is the training
    /// data: the same file over whatever links, or a file with the same examples.
    ///
    /// - Parameter owners: where the owners of the training examples stand, as in ``UserConfiguration``; nil if nobody
    ///   asks.
    func load(owners: String? = nil) throws -> LoadedData {
        let missing = Self.paths.compactMap { self[keyPath: $0] }
            .filter { !FileManager.default.fileExists(atPath: $0) }
        guard missing.isEmpty else { throw TrainingConfigurationError.noSuchFile(missing) }
        if let path, let testPath, FileContents.isSameFile(path, testPath) {
            throw TrainingConfigurationError.testsOnTrainingData(training: path, test: testPath)
        }
        if let owners, kind != .csv { try checkOwnersFile(owners) }
        var data: LoadedData
        switch kind {
        case .digits:
            let split = Digits.split
            data = LoadedData(training: split.train, test: split.test)
        case .idx:
            let folder = try idxFolder()
            data = LoadedData(
                training: folder.train, test: folder.test, imageShape: [folder.height, folder.width],
                byteInputs: true)
        case .csv: data = try loadCSV(owners: owners)
        case .numpy: data = try loadNumPy()
        }
        if let owners, data.owners == nil { data.owners = try readOwners(owners, count: data.training.count) }
        return data
    }

    /// Throws `TrainingConfigurationError.noOwners` unless there is a file with owners at `path`.
    private func checkOwnersFile(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            throw TrainingConfigurationError.noOwners(path, isCSV: kind == .csv)
        }
    }

    /// The owners in a file of their own. Throws `DatasetError` unless there are `count`.
    private func readOwners(_ path: String, count: Int) throws -> [String] {
        let owners = try OwnersFile.read(path)
        guard owners.count == count else {
            throw DatasetError.ownerCountMismatch(exampleCount: count, path: path, ownerCount: owners.count)
        }
        return owners
    }

    private func loadCSV(owners: String?) throws -> LoadedData {
        let open: CSVFile.OpenRanges =
            takesOpenRangesFromDataWithoutPrivacy == true ? .takenFromDataWithoutPrivacy : .refused
        let path = try requiredPath()
        let schema = try readSchema()
        let withOwners = try owners.flatMap { try schema.ignoring($0, in: path) }
        // Before what the schema does not know of is found: the column may be misspelt.
        if let owners, withOwners == nil { try checkOwnersFile(owners) }
        let file = try CSVFile(path, schema: withOwners ?? schema, openRanges: open)
        guard file.dataset.targets.outputCount > 0 else {
            throw TrainingConfigurationError.missing(
                what: "What is to be learned", remedy: "give one column of the schema the kind label or target")
        }
        // The test set may name owners, and need not.
        let ownerColumn = withOwners == nil ? nil : owners
        let complete = ownerColumn.map { file.schema.without(optionalColumn: $0) } ?? file.schema
        let test = try testPath.map { testPath in
            let schema = try ownerColumn.flatMap { try complete.ignoring($0, in: testPath) } ?? complete
            return try CSVFile(testPath, schema: schema).dataset
        }
        if let testPath, let test, try file.dataset.hasSameExamples(as: test) {
            throw TrainingConfigurationError.testsOnTrainingData(training: path, test: testPath)
        }
        return LoadedData(
            training: file.dataset, test: test, schema: complete,
            owners: try ownerColumn.map { try CSVFile.texts(ofColumn: $0, in: path, schema: file.schema) },
            ownerColumn: ownerColumn)
    }

    private func loadNumPy() throws -> LoadedData {
        let path = try requiredPath()
        let file = try NumPyFile(path, labels: labels, classCount: classCount)
        guard file.dataset.targets.outputCount > 0 else {
            throw TrainingConfigurationError.missingLabels(path, option: "--labels")
        }
        guard let testPath else {
            var test = file.test
            if let testLabels {
                guard test != nil else {
                    throw TrainingConfigurationError.unused(
                        what: ["testLabels"],
                        reason: "there is no test set whose labels they are; give one with --test-data")
                }
                test = try NumPyFile(evaluationSet: path, labels: testLabels, classCount: classCount).dataset
            }
            if test?.targets.outputCount == 0 {
                throw TrainingConfigurationError.missingLabels("\(path)/x_test.npy", option: "--test-labels")
            }
            return LoadedData(training: file.dataset, test: test, byteInputs: file.hasByteFeatures)
        }
        let testFile = try NumPyFile(evaluationSet: testPath, labels: testLabels, classCount: classCount)
        let test = testFile.dataset
        guard file.hasByteFeatures == testFile.hasByteFeatures else {
            throw DatasetError.featureTypeMismatch(
                path: testPath, type: testFile.featureType, trainedOnBytes: file.hasByteFeatures)
        }
        guard test.targets.outputCount > 0 else {
            throw TrainingConfigurationError.missingLabels(testPath, option: "--test-labels")
        }
        guard file.exampleShape == testFile.exampleShape else {
            throw DatasetError.exampleShapeMismatch(train: file.exampleShape, test: testFile.exampleShape)
        }
        // Whatever labels they have, as for the test set of one archive.
        guard file.dataset.inputs != test.inputs else {
            throw TrainingConfigurationError.testsOnTrainingData(training: path, test: testPath)
        }
        return LoadedData(training: file.dataset, test: test, byteInputs: file.hasByteFeatures)
    }

    /// Whether `examples` are the ones that a run with this configuration trains on, as far as its files are still
    /// where they were. `model` is what the run wrote down. Throws what reading the files throws.
    func trains(on examples: InMemoryDataset, model: RunFolder.Model) throws -> Bool {
        switch kind {
        case .digits: return Digits.split.train.inputs == examples.inputs
        // Whatever labels they have, as for the test set of one folder.
        case .idx: return try idxFolder().train.inputs == examples.inputs
        case .numpy: return try NumPyFile(features: try requiredPath()).dataset.inputs == examples.inputs
        case .csv:
            let path = try requiredPath()
            return try CSVFile(path, schema: model.schema(for: path) ?? readSchema()).dataset
                .hasSameExamples(as: examples)
        }
    }

    private func idxFolder() throws -> IdxFolder {
        try IdxFolder(try requiredPath(), classCount: classCount ?? Self.idxClassCount)
    }

    /// The number of classes of idx files where nobody says it.
    static let idxClassCount = 10

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
        return try Settings(file: schema) { _ in Formats.schema }.decoded(as: Formats.schema)
    }
}
