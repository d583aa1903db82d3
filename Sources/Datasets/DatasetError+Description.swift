import Requirements

extension DatasetError: CustomStringConvertible {
    /// The place, the value, the allowed range, and the remedy. Control characters of the file's text are escaped.
    public var description: String { sentence.printable }

    private var sentence: String {
        switch self {
        case .file(let error):
            error.description
        case .noExamples(let path):
            "'\(path)' has no examples: there is nothing to learn from."
        case .tooLarge(let path, let examples, let features, let limit):
            "'\(path)' has \(examples) examples of \(features) features, whose matrix takes more than \(limit) bytes: "
                + "raise the limit, or encode columns in fewer features."
        case .labelOutOfRange(let path, let index, let label, let classCount):
            "'\(path)' has the label \(label) at index \(index), but with \(classCount) classes labels must be in "
                + "0..<\(classCount). The number of classes is public and never taken from the data: give the right "
                + "one (classCount, or --classes of 'dp train'), or correct the file."
        case .invalidClassCount(let count):
            "The number of classes is \(count), but must be in 2...\(Targets.classLimit): give the number of labels "
                + "that there can be, 0 included."
        case .missingFile(let folder, let names):
            "'\(folder)' has no file '\(names[0])', nor one named "
                + names.dropFirst().map { "'\($0)'" }.joined(separator: " or ")
                + ": put it there under one of these names."
        case .notIdx(let path, let magic):
            "'\(path)' begins with the bytes \(magic), but an idx file with 0, 0, the type of its elements, and the "
                + "number of its dimensions."
        case .unsupportedIdxType(let path, let type):
            "'\(path)' holds elements of type \(type), but must hold unsigned bytes (type 8)."
        case .wrongIdxRank(let path, let rank, let expected):
            "'\(path)' has \(rank) dimensions, but must have \(expected): images have three and labels one."
        case .idxSizeMismatch(let path, let dimensions, let promised, let bytes):
            "'\(path)' promises \(dimensions.map(String.init).joined(separator: " × ")) = "
                + "\(promised.map(String.init) ?? "more than \(Int.max)") bytes, but \(bytes) follow its header: "
                + "fetch or write it again."
        case .countMismatch(let examples, let exampleCount, let labels, let labelCount):
            "'\(examples)' has \(exampleCount) examples, but '\(labels)' has \(labelCount) labels: take files of one "
                + "set."
        case .lengthCountMismatch(let examples, let exampleCount, let lengths, let lengthCount):
            "'\(examples)' has \(exampleCount) sequences, but '\(lengths)' has \(lengthCount) lengths: take files of "
                + "one set."
        case .cannotStream(let path, let reason):
            "'\(path)' cannot be read example by example from disk: \(reason)"
        case .recordTooLong(let path, let line, let limit):
            "'\(path)', line \(line) begins a record of more than \(limit) bytes: look for missing line ends, or for a "
                + "quote that is not closed."
        case .text(let path, let problem):
            "'\(path)': \(problem)"
        case .invalidTextFormat(let name, let value, let allowed):
            "The \(name) of the text is \(value), but must be \(allowed)."
        case .ownerCountMismatch(let exampleCount, let path, let ownerCount):
            "'\(path)' names \(ownerCount) owners, but there are \(exampleCount) examples to train on: name one owner "
                + "for each of them, in their order."
        case .missingOwner(let path, let line):
            "'\(path)', line \(line): the owner is missing, and nobody can be protected who is not named. Name whose "
                + "the example is, or leave the example out."
        case .exampleShapeMismatch(let train, let test):
            "The training examples have the shape \(train), but the test examples \(test): take files of one set."
        case .featureTypeMismatch(let path, let type, let trainedOnBytes):
            trainedOnBytes
                ? "'\(path)' has features of the type '\(type)', which are taken as they are, but the training "
                    + "features are unsigned bytes ('|u1'), which are scaled by 1/255: save them as "
                    + "array.astype(numpy.uint8), of the range 0 to 255."
                : "'\(path)' has unsigned bytes ('\(type)') as features, which are scaled by 1/255, but the training "
                    + "features are of another type than '|u1', and were taken as they are: save them in the training "
                    + "features' range and type, such as array.astype(numpy.float32) ('<f4')."
        case .testsOnTrainingExamples(let train, let test):
            "'\(train)' and '\(test)' hold the same examples: accuracies on them would tell of the very examples that "
                + "training protects. Put others into the test set."
        case .numPy(let path, let problem):
            "'\(path)' is not the NumPy file that was expected: \(problem)"
        case .invalidSchema(let column, let problem):
            "The schema\(column.map { " of column '\($0)'" } ?? "") \(problem)"
        case .openSchema(let columns):
            "The schema leaves the bounds or categories of \(Self.list(columns)) open. Write down public ones; taken "
                + "from the data, they are outside the privacy guarantee, and have to be asked for by name."
        case .invalidUTF8(let path, let line, let column):
            "'\(path)', line \(line), byte \(column): this is not UTF-8. Convert the file, for example with iconv."
        case .unterminatedQuote(let path, let line, let column):
            "'\(path)', line \(line), byte \(column): the quoted field that begins here is not closed. Add the quote, "
                + "and double those inside the field."
        case .misplacedQuote(let path, let line, let column):
            "'\(path)', line \(line), byte \(column): a quote must open or close a whole field. Quote the field, and "
                + "double the quotes inside it."
        case .tooManyColumns(let path, let line, let limit):
            "'\(path)', line \(line) has more than \(limit) fields: look for missing line ends or a wrong separator."
        case .raggedRow(let path, let line, let fields, let expected):
            "'\(path)', line \(line) has \(fields) fields, but must have \(expected): correct the line or the schema."
        case .headerMismatch(let path, let column, let problem):
            "'\(path)': the header \(problem.text) '\(column)'. Header and schema must name the same columns, each "
                + "once; columns that are not wanted can be of the kind \"ignored\"."
        case .notANumber(let path, let line, let column, let text):
            "'\(path)', line \(line), column '\(column)': \"\(text)\" is not a finite decimal number. Correct it, or "
                + "list it among the schema's markers of missing values."
        case .missingValue(let path, let line, let column):
            "'\(path)', line \(line), column '\(column)': the value is missing. Give the column something to put in "
                + "its place, or correct the line."
        case .targetNotANumber(let path, let line, let column, let text):
            "'\(path)', line \(line), column '\(column)': the number to predict is \"\(text)\", but must be a finite "
                + "decimal number, and nothing can stand in its place. Correct the line, or take it out of the file."
        case .unknownCategory(let path, let line, let column, let text):
            "'\(path)', line \(line), column '\(column)': \"\(text)\" is not one of the schema's categories. Add it "
                + "there, or give unlisted values a slot of their own or zeros."
        case .unknownLabel(let path, let line, let column, let text, let classes):
            "'\(path)', line \(line), column '\(column)': the label \"\(text)\" is not one of the classes "
                + "\(Self.list(classes)). Correct the line or the schema."
        case .invalidAugmentation(let name, let value, let allowed):
            "The \(name) of an augmentation is \(value), but must be \(allowed)."
        case .tooManyCategories(let path, let column, let limit):
            "'\(path)', column '\(column)' has more than \(limit) categories: list those that matter in the schema."
        }
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(10).map { "'\($0)'" }.joined(separator: ", ")
        return names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
    }
}

extension DatasetError.HeaderProblem {
    fileprivate var text: String {
        switch self {
        case .missing: "lacks the column"
        case .unexpected: "has the column, which the schema lacks,"
        case .duplicate: "has twice the column"
        }
    }
}
