import CommandLineSupport
import PrivacyMechanisms
import PrivateTraining

/// Data that has been read, or opened.
struct LoadedData {
    var training: any Dataset
    let test: (any Dataset)?
    /// Rows and columns of images; nil where examples are none.
    var imageShape: [Int]?
    /// The positions of sequences of features; nil where examples are none.
    var positions: Int?
    /// What stands between the file and the inputs.
    var encoding = DataEncoding()
    /// The owner of each training example, where they were asked for.
    var owners: [String]?

    /// The number of training examples, those included that other ranks hold.
    var exampleCount: Int { whole?.exampleCount ?? training.count }
    /// What the training examples are a part of; nil where they are all.
    var whole: (exampleCount: Int, firstTargets: Targets)?

    /// The targets of the first training example: all are of their kind.
    var firstTargets: Targets { get throws { try whole?.firstTargets ?? training.examples(at: [0]).targets } }
}

extension LoadedData {
    /// Leaves this rank its part of the training examples; all ranks do so at once.
    ///
    /// Throws what reading throws, and ``RankError`` if the ranks' files became inputs in different ways, or those that
    /// are cut by places are not the same: an example could then be in two parts.
    mutating func takePart(_ shards: DataConfiguration.Shards, of ranks: Ranks) throws {
        let (first, digest) = try ranks.together {
            try (firstTargets, shards == .rows ? training.digest() : "")
        }
        let schema = try encoding.schema.map { try jsonLine($0) } ?? "none"
        try ranks.agree(onSecret: ["schema, with what was left open": schema, "data (by their digest)": digest])
        if shards == .rows {
            let part = DatasetPart(training, ranks.rank, of: ranks.count)
            // What is not needed does not stay in memory.
            training = (training as? InMemoryDataset)?[part.places] ?? part
        }
        whole = (ranks.places(ofPart: training.count).total, first)
    }
}

/// How files became inputs, and how other files must become inputs to be used with the same model.
struct DataEncoding {
    /// A CSV file's schema with nothing open.
    var schema: CSVSchema?
    /// The column that the owners stand in, which is not in the schema; nil where they stand in a file.
    var ownerColumn: String?
    /// Whether features are unsigned bytes, which are scaled by 1/255; nil where a file cannot have others.
    var byteInputs: Bool?
    /// What the numbers of NumPy files are; nil of other files.
    var inputs: NumPyFile.Inputs?
    /// What the examples of a text file are.
    var text: TextFormat?
}

/// Arrays of NumPy's, in memory or on disk.
struct NumPyData {
    let dataset: any Dataset
    /// An archive's test set.
    let test: (any Dataset)?
    let exampleShape: [Int]
    let featureType: String
    let hasByteFeatures: Bool
    let inputs: NumPyFile.Inputs

    init(_ file: NumPyFile) {
        dataset = file.dataset
        test = file.test
        exampleShape = file.exampleShape
        featureType = file.featureType
        hasByteFeatures = file.hasByteFeatures
        inputs = file.inputs
    }

    init(_ file: StreamedNumPyFile) {
        dataset = file
        test = nil
        exampleShape = file.exampleShape
        featureType = file.featureType
        hasByteFeatures = file.hasByteFeatures
        inputs = file.inputs
    }

    /// The positions of arrays of examples × positions × features; nil of others.
    var positions: Int? { inputs == .features && exampleShape.count == 2 ? exampleShape[0] : nil }

    /// Whether there are labels.
    var hasTargets: Bool { get throws { try dataset.examples(at: [0]).targets.outputCount > 0 } }

    /// How other files must become inputs; whether tokens are bytes does not matter.
    var encoding: DataEncoding {
        DataEncoding(byteInputs: inputs == .tokens ? nil : hasByteFeatures, inputs: inputs)
    }
}
