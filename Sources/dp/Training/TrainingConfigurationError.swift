import GradientTransformations
import Requirements

/// What is wrong with the configuration of a training run.
enum TrainingConfigurationError: Error, Equatable {
    case noSecondMoment(optimizer: String)
    case unknownHyperparameter(String, optimizer: String, known: [String])
    case missing(what: String, remedy: String)
    case noSuchFile([String])
    case missingLabels(String, option: String)
    case unreadable(path: String, reason: String)
    case outputExists(path: String)
    case notARun(path: String, reason: String)
    case testsOnTrainingData(training: String, test: String)
    case missingOwners(path: String)
    case noOwners(String, isCSV: Bool)
    case missingInitial(path: String)
    case clipsEverything
    case unused(what: [String], reason: String)
}

extension TrainingConfigurationError {
    /// Whether other options would mend it.
    var isUsage: Bool {
        switch self {
        case .missing, .missingLabels, .noOwners, .unused, .noSuchFile, .noSecondMoment, .unknownHyperparameter,
            .clipsEverything:
            true
        default: false
        }
    }
}

extension TrainingConfigurationError: CustomStringConvertible {
    /// The value, what is allowed, and the remedy. Control characters of names are escaped.
    var description: String { sentence.printable }

    private var sentence: String {
        switch self {
        case .noSecondMoment(let optimizer):
            "\(optimizer) has no second moment of gradients to scale by: leave scaleThenPrivatize out, or choose one "
                + "of " + NamedOptimizer.table.filter(\.isAdaptive).map(\.name).joined(separator: ", ") + "."
        case .unknownHyperparameter(let name, let optimizer, let known):
            "\(optimizer) has no \(name); it has \(known.joined(separator: ", "))."
        case .missing(let what, let remedy):
            "\(what) is missing: \(remedy)."
        case .noSuchFile(let paths):
            "There is no such file or folder: \(paths.map { "'\($0)'" }.joined(separator: ", ")). Give the path of one "
                + "that is there."
        case .missingLabels(let path, let option):
            "The labels of '\(path)' are missing: give a .npy file of them with \(option), or a .npz archive with both."
        case .unreadable(let path, let reason):
            "The configuration '\(path)' cannot be read: \(reason)"
        case .outputExists(let path):
            "'\(path)' holds another run: choose another --output, or --resume to go on with that one."
        case .testsOnTrainingData(let training, let test):
            "The same data is to be trained and tested on, as '\(training)' and as '\(test)': accuracies on it would "
                + "tell of the very examples that training protects. Test on other data, or leave --test-data out."
        case .missingOwners(let path):
            "'\(path)' is missing, which says who owns which example: without it the run cannot go on. Put back the "
                + "file that 'dp train' wrote."
        case .noOwners(let name, let isCSV):
            "'\(name)' is to say who owns which example, but there is no such file"
                + (isCSV ? ", and the CSV file has no such column" : "")
                + ": give \(isCSV ? "the name of a column, or " : "")the path of a file with a line, or a .npy file "
                + "with a whole number, for each example."
        case .missingInitial(let path):
            "'\(path)' is missing, the parameters that training began from: without it the run cannot go on. Put back "
                + "the file that 'dp train' wrote."
        case .notARun(let path, let reason):
            "'\(path)' is not the output of 'dp train': \(reason) Give the folder that was its --output."
        case .clipsEverything:
            "The clip norm is 0, which clips every gradient to nothing, but must be above 0: 1 is usual."
        case .unused(let what, let reason):
            "\(what.joined(separator: ", ")) would have no effect: \(reason)."
        }
    }
}
