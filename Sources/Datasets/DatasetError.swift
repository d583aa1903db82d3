/// What can be wrong with data that a file brings.
///
/// Payloads hold names, places and the offending value, cut off after 40 characters: they are meant for those who may
/// see the data.
public enum DatasetError: Error, Equatable, Sendable {
    /// The file cannot be read at all.
    case file(FileError)
    /// The file has no examples.
    case noExamples(path: String)
    /// The matrix of inputs would take more bytes than allowed.
    case tooLarge(path: String, examples: Int, features: Int, limit: Int)

    /// A label is not in 0..<`classCount`.
    case labelOutOfRange(path: String, index: Int, label: Int, classCount: Int)
    /// A number of classes is not in 2...1,000,000.
    case invalidClassCount(Int)

    /// There are not as many labels as examples.
    case countMismatch(examples: String, exampleCount: Int, labels: String, labelCount: Int)
    /// There are not as many lengths as sequences.
    case lengthCountMismatch(examples: String, exampleCount: Int, lengths: String, lengthCount: Int)
    /// There are not as many owners as examples.
    case ownerCountMismatch(exampleCount: Int, path: String, ownerCount: Int)
    /// An example has no owner; lines count from 1.
    case missingOwner(path: String, line: Int)
    /// The examples of the test set have another shape than those of the training set.
    case exampleShapeMismatch(train: [Int], test: [Int])
    /// Features are unsigned bytes, which are scaled by 1/255, and those of training were not, or the other way round;
    /// `type` is theirs as NumPy writes it.
    case featureTypeMismatch(path: String, type: String, trainedOnBytes: Bool)
    /// The features of the test set are those of the training set.
    case testsOnTrainingExamples(train: String, test: String)

    // MARK: Reading from disk

    /// The file cannot be read example by example.
    case cannotStream(path: String, reason: String)
    /// A record, or a line of text, has more bytes than may be in memory at once; lines count from 1.
    case recordTooLong(path: String, line: Int, limit: Int)

    // MARK: Text

    /// A text file, or a vocabulary, is not what it must be.
    case text(path: String, problem: TextProblem)
    /// What is said about a text file contradicts itself, or is out of range.
    case invalidTextFormat(name: String, value: String, allowed: String)

    // MARK: NumPy's files

    /// A file in NumPy's format, or an array in an archive, is not what it must be.
    case numPy(path: String, problem: NumPyProblem)

    // MARK: idx files

    /// The folder has no file of any of the names.
    case missingFile(folder: String, names: [String])
    /// The file does not begin as an idx file does; `magic` are its first bytes, four at most.
    case notIdx(path: String, magic: [UInt8])
    /// The elements are not unsigned bytes.
    case unsupportedIdxType(path: String, type: UInt8)
    /// The file has another number of dimensions than images or labels have.
    case wrongIdxRank(path: String, rank: Int, expected: Int)
    /// The header promises another number of bytes than follow it; `promised` is nil if it exceeds `Int.max`.
    case idxSizeMismatch(path: String, dimensions: [Int], promised: Int?, bytes: Int)

    // MARK: CSV files

    /// A schema contradicts itself; `column` is nil where the whole is meant.
    case invalidSchema(column: String?, problem: String)
    /// The schema leaves bounds or categories of these columns open, and the data may not be asked for them.
    case openSchema(columns: [String])
    /// A byte is not part of UTF-8; line and column (in bytes) count from 1.
    case invalidUTF8(path: String, line: Int, column: Int)
    /// A quoted field is not closed; the place is that of its opening quote.
    case unterminatedQuote(path: String, line: Int, column: Int)
    /// A quote stands inside a field that does not begin with one, or text follows the closing quote.
    case misplacedQuote(path: String, line: Int, column: Int)
    /// A record has more fields than any file may have.
    case tooManyColumns(path: String, line: Int, limit: Int)
    /// A record has another number of fields than the schema or the header has columns.
    case raggedRow(path: String, line: Int, fields: Int, expected: Int)
    /// The header lacks a column of the schema, names one that the schema does not, or names one twice.
    case headerMismatch(path: String, column: String, problem: HeaderProblem)
    /// A field of a numeric column is not a finite decimal number.
    case notANumber(path: String, line: Int, column: String, text: String)
    /// A value is missing where the schema provides for none.
    case missingValue(path: String, line: Int, column: String)
    /// The number to predict is missing, or not a finite decimal number.
    case targetNotANumber(path: String, line: Int, column: String, text: String)
    /// A category is not in the schema's list, and the schema refuses such.
    case unknownCategory(path: String, line: Int, column: String, text: String)
    /// A label is not one of the schema's classes.
    case unknownLabel(path: String, line: Int, column: String, text: String, classes: [String])
    /// A number of an augmentation lies out of its range.
    case invalidAugmentation(name: String, value: Int, allowed: String)
    /// A column has more categories than may be taken from the data.
    case tooManyCategories(path: String, column: String, limit: Int)

    /// How a header and a schema can disagree.
    public enum HeaderProblem: String, Sendable {
        /// The schema has the column, the header lacks it.
        case missing
        /// The header has the column, the schema lacks it.
        case unexpected
        /// The header has the column twice.
        case duplicate
    }
}
