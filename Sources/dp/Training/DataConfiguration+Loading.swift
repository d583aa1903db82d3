import Foundation
import PrivateTraining

extension DataConfiguration {
    /// Reads the files, or opens those that are streamed. Throws `DatasetError` and `TrainingConfigurationError`, also
    /// if the test data is the training data: the same file over whatever links, or a file with the same examples.
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
                encoding: DataEncoding(byteInputs: true))
        case .csv: data = try loadCSV(owners: owners)
        case .numpy: data = try loadNumPy()
        case .text: data = try loadText()
        }
        if let owners, data.owners == nil { data.owners = try readOwners(owners, count: data.training.count) }
        return data
    }

    private var reader: DataReader { DataReader(streams: streaming == true) }

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
        let file = try reader.csv(path, withOwners ?? schema, openRanges: open)
        guard !file.schema.classes.isEmpty || file.schema.target != nil else {
            throw TrainingConfigurationError.missing(
                what: "What is to be learned", remedy: "give one column of the schema the kind label or target")
        }
        // The test set may name owners, and need not.
        let ownerColumn = withOwners == nil ? nil : owners
        let complete = ownerColumn.map { file.schema.without(optionalColumn: $0) } ?? file.schema
        let test = try testPath.map { testPath in
            let schema = try ownerColumn.flatMap { try complete.ignoring($0, in: testPath) } ?? complete
            return try reader.csv(testPath, schema).dataset
        }
        try requireOthers(file.dataset, test, path: path) { try $0.hasSameExamples(as: $1) }
        return LoadedData(
            training: file.dataset, test: test,
            encoding: DataEncoding(schema: complete, ownerColumn: ownerColumn),
            owners: try ownerColumn.map { try CSVFile.texts(ofColumn: $0, in: path, schema: file.schema) })
    }

    /// Throws `TrainingConfigurationError.testsOnTrainingData` if the two sets are the same, as `isSame` sees it.
    private func requireOthers(
        _ training: any Dataset, _ test: (any Dataset)?, path: String,
        _ isSame: (any Dataset, any Dataset) throws -> Bool
    ) throws {
        if let test, let testPath, try isSame(training, test) {
            throw TrainingConfigurationError.testsOnTrainingData(training: path, test: testPath)
        }
    }

    private func loadNumPy() throws -> LoadedData {
        let path = try requiredPath()
        let inputs = inputs ?? .features
        let file = try reader.numPy(
            path, labels: labelsPath, lengths: lengths, inputs: inputs, classCount: classCount)
        guard try file.hasTargets else {
            throw TrainingConfigurationError.missingLabels(path, option: "--labels")
        }
        // What the training inputs are, the test inputs must be.
        func evaluated(_ path: String) throws -> NumPyData {
            try reader.evaluated(
                path, labels: testLabels, lengths: testLengths, inputs: file.inputs, classCount: classCount)
        }
        guard let testPath else {
            var test = file.test
            let given = [("testLabels", testLabels), ("testLengths", testLengths)].filter { $0.1 != nil }
            if !given.isEmpty {
                guard test != nil else {
                    throw TrainingConfigurationError.unused(
                        what: given.map(\.0),
                        reason: "there is no test set whose they are; give one with --test-data")
                }
                test = try evaluated(path).dataset
            }
            if let test, try test.examples(at: [0]).targets.outputCount == 0 {
                throw TrainingConfigurationError.missingLabels("\(path)/x_test.npy", option: "--test-labels")
            }
            return LoadedData(
                training: file.dataset, test: test, positions: file.positions, encoding: file.encoding)
        }
        let testFile = try evaluated(testPath)
        guard file.inputs == testFile.inputs else {
            throw TrainingConfigurationError.missing(
                what: "The lengths of the training sequences",
                remedy: "the test set has some, and is read as token ids: give them with --lengths, or leave those out")
        }
        guard file.hasByteFeatures == testFile.hasByteFeatures else {
            throw DatasetError.featureTypeMismatch(
                path: testPath, type: testFile.featureType, trainedOnBytes: file.hasByteFeatures)
        }
        guard try testFile.hasTargets else {
            throw TrainingConfigurationError.missingLabels(testPath, option: "--test-labels")
        }
        guard file.exampleShape == testFile.exampleShape else {
            throw DatasetError.exampleShapeMismatch(train: file.exampleShape, test: testFile.exampleShape)
        }
        // Whatever labels they have, as for the test set of one archive.
        try requireOthers(file.dataset, testFile.dataset, path: path) { try $0.hasSameInputs(as: $1) }
        return LoadedData(
            training: file.dataset, test: testFile.dataset, positions: file.positions, encoding: file.encoding)
    }

    private func loadText() throws -> LoadedData {
        let path = try requiredPath()
        let format = try textFormat()
        let training = try reader.text(path, format)
        let test = try testPath.map { try reader.text($0, format) }
        // Whatever labels they have.
        try requireOthers(training, test, path: path) { try $0.hasSameInputs(as: $1) }
        return LoadedData(training: training, test: test, encoding: DataEncoding(text: format))
    }

    /// Whether `examples` are the ones that a run with this configuration trains on, as far as its files are still
    /// where they were. `model` is what the run wrote down. Throws what reading the files throws.
    func trains(on examples: any Dataset, model: RunFolder.Model) throws -> Bool {
        switch kind {
        case .digits: return try Digits.split.train.hasSameInputs(as: examples)
        // Whatever labels they have, as for the test set of one folder.
        case .idx: return try idxFolder().train.hasSameInputs(as: examples)
        case .numpy:
            let inputs = model.inputs ?? .features
            return try reader.unlabelled(try requiredPath(), lengths: lengths, inputs: inputs).dataset
                .hasSameInputs(as: examples)
        case .csv:
            let path = try requiredPath()
            return try reader.csv(path, model.schema(for: path) ?? readSchema()).dataset
                .hasSameExamples(as: examples)
        case .text:
            return try reader.text(try requiredPath(), model.text ?? textFormat()).hasSameInputs(as: examples)
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
