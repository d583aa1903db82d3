import Foundation
import PrivateTraining
import Requirements

/// Where the examples come from.
///
///     {"kind": "idx", "path": "data/mnist", "classCount": 10}
///     {"kind": "csv", "path": "adult.data.gz", "testPath": "adult.test.gz", "schema": "adult-schema.json"}
///     {"kind": "numpy", "path": "X.npy", "labels": "y.npy", "classCount": 10}
///     {"kind": "numpy", "path": "mnist.npz", "classCount": 10}
///     {"kind": "numpy", "path": "ids.npy", "lengths": "lengths.npy", "labels": "y.npy", "streaming": true}
///     {"kind": "text", "path": "mails.txt", "vocabulary": "words.txt", "length": 80, "labels": ["ham", "spam"]}
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
        /// A text file, of which lines or windows are the examples.
        case text
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
    /// The `.npy` file with the labels of `path`, or the labels that lines of text can have.
    var labels: Labels?
    /// The `.npy` file with the labels of `testPath`, or of the test set in the archive at `path`.
    var testLabels: String?
    /// The number of classes of idx and NumPy files: public, and never taken from the data. Nil for 10 of idx files,
    /// and for NumPy's labels that are no classes.
    var classCount: Int?
    /// The `.npy` file with the lengths of the sequences in `path`.
    var lengths: String?
    /// The same for `testPath`, or for the test set in the archive at `path`.
    var testLengths: String?
    /// Whether the numbers of NumPy files are features or token ids; nil for features, unless they are whole and have
    /// lengths.
    var inputs: NumPyFile.Inputs?
    /// The public vocabulary of a text: "bytes", or a file with a token a line.
    var vocabulary: String?
    /// Whether a vocabulary's file lists words or characters; nil for words.
    var tokens: Tokens?
    /// The number of tokens that are kept of a line.
    var length: Int?
    /// The number of tokens of a window; nil where lines are the examples.
    var window: Int?
    /// Whether examples are read from disk when they are needed; nil to read everything into memory.
    var streaming: Bool?
    /// What the part of the training examples is that each rank holds; nil where all ranks use all of them.
    var shards: Shards?

    /// What the labels of NumPy files and those of text are: the path of a file, or the texts themselves.
    enum Labels: Codable, Hashable, Sendable {
        case file(String)
        case names([String])

        init(from decoder: any Decoder) throws {
            let box = try decoder.singleValueContainer()
            if let path = try? box.decode(String.self) {
                self = .file(path)
            } else {
                self = .names(try box.decode([String].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var box = encoder.singleValueContainer()
            switch self {
            case .file(let path): try box.encode(path)
            case .names(let names): try box.encode(names)
            }
        }
    }

    /// How training examples are cut into parts, one for each rank.
    enum Shards: String, Codable, CaseIterable {
        /// By their places in files that all ranks can read.
        case rows
        /// Each rank's files hold its part.
        case files
    }

    /// What a vocabulary's file lists.
    enum Tokens: String, Codable, CaseIterable {
        case words, characters
    }

    /// The name of the file or folder, without its endings.
    var title: String {
        guard let path else { return kind.rawValue }
        let name = URL(filePath: path).lastPathComponent
        return name.split(separator: ".").first.map(String.init) ?? name
    }

    init(_ kind: Kind, path: String? = nil) {
        self.kind = kind
        self.path = path
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, path, testPath, schema, takesOpenRangesFromDataWithoutPrivacy, labels, testLabels, classCount
        case lengths, testLengths, inputs, vocabulary, tokens, length, window, streaming, shards

        /// The keys that data of a kind has: another one would look as if it had been followed.
        static func allowed(for kind: Kind) -> [CodingKeys] {
            let own: [CodingKeys] =
                switch kind {
                case .idx: [.path, .classCount]
                case .csv: [.path, .testPath, .schema, .takesOpenRangesFromDataWithoutPrivacy, .streaming]
                case .numpy:
                    [
                        .path, .labels, .lengths, .testPath, .testLabels, .testLengths, .inputs, .classCount,
                        .streaming,
                    ]
                case .text: [.path, .testPath, .vocabulary, .tokens, .length, .window, .labels, .streaming]
                case .digits: []
                }
            return [.kind, .shards] + own
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
        labels = try box.decodeIfPresent(Labels.self, forKey: .labels)
        testLabels = try box.decodeIfPresent(String.self, forKey: .testLabels)
        classCount = try box.decodeIfPresent(Int.self, forKey: .classCount)
        lengths = try box.decodeIfPresent(String.self, forKey: .lengths)
        testLengths = try box.decodeIfPresent(String.self, forKey: .testLengths)
        inputs = try box.decodeChoiceIfPresent(NumPyFile.Inputs.self, forKey: .inputs)
        vocabulary = try box.decodeIfPresent(String.self, forKey: .vocabulary)
        tokens = try box.decodeChoiceIfPresent(Tokens.self, forKey: .tokens)
        length = try box.decodeIfPresent(Int.self, forKey: .length)
        window = try box.decodeIfPresent(Int.self, forKey: .window)
        streaming = try box.decodeIfPresent(Bool.self, forKey: .streaming)
        shards = try box.decodeChoiceIfPresent(Shards.self, forKey: .shards)
    }

    /// The kind of data that is at `path`: a folder holds idx files, names that end with `.npy` or `.npz` are NumPy's,
    /// those that end with `.txt` are text, other files are CSV. Throws `TrainingConfigurationError` if there is
    /// nothing.
    static func guess(path: String) throws -> DataConfiguration {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TrainingConfigurationError.noSuchFile([path])
        }
        if isFolder.boolValue { return DataConfiguration(.idx, path: path) }
        return DataConfiguration(isNumPy(path) ? .numpy : isText(path) ? .text : .csv, path: path)
    }

    /// Whether the name of `path` is that of a text file.
    private static func isText(_ path: String) -> Bool {
        let name = path.lowercased()
        return [".txt", ".txt.gz"].contains(where: name.hasSuffix)
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

    static var paths: [WritableKeyPath<DataConfiguration, String?>] {
        [
            \.path, \.testPath, \.schema, \.labelsPath, \.testLabels, \.lengths, \.testLengths, \.vocabularyPath,
        ]
    }

    /// The name of the vocabulary that needs no file.
    static let bytes = "bytes"

    /// The file with the labels; nil where labels are no file.
    var labelsPath: String? {
        get { if case .file(let path)? = labels { path } else { nil } }
        set { if let newValue { labels = .file(newValue) } }
    }

    /// The file with the vocabulary; nil where there is none.
    var vocabularyPath: String? {
        get { vocabulary == Self.bytes ? nil : vocabulary }
        set { if let newValue { vocabulary = newValue } }
    }
}
