import PrivateTraining

/// Reads the files of examples, into memory or from disk when they are needed.
struct DataReader {
    let streams: Bool

    /// The arrays at `path`; of an archive the training set.
    func numPy(
        _ path: String, labels: String?, lengths: String?, inputs: NumPyFile.Inputs, classCount: Int?
    ) throws -> NumPyData {
        if streams {
            return NumPyData(
                try StreamedNumPyFile(path, labels: labels, lengths: lengths, inputs: inputs, classCount: classCount))
        }
        return NumPyData(
            try NumPyFile(path, labels: labels, lengths: lengths, inputs: inputs, classCount: classCount))
    }

    /// The same of the set that is evaluated on: of an archive the test set.
    func evaluated(
        _ path: String, labels: String?, lengths: String?, inputs: NumPyFile.Inputs, classCount: Int?
    ) throws -> NumPyData {
        // Files that are streamed have one set.
        if streams {
            return try numPy(path, labels: labels, lengths: lengths, inputs: inputs, classCount: classCount)
        }
        return NumPyData(
            try NumPyFile(
                evaluationSet: path, labels: labels, lengths: lengths, inputs: inputs, classCount: classCount))
    }

    /// The same without labels, though an archive may have some.
    func unlabelled(_ path: String, lengths: String?, inputs: NumPyFile.Inputs) throws -> NumPyData {
        if streams { return NumPyData(try StreamedNumPyFile(path, lengths: lengths, inputs: inputs)) }
        return NumPyData(try NumPyFile(features: path, lengths: lengths, inputs: inputs))
    }

    /// The records at `path`, and the schema with nothing open.
    func csv(
        _ path: String, _ schema: CSVSchema, openRanges: CSVFile.OpenRanges = .refused
    ) throws -> (dataset: any Dataset, schema: CSVSchema) {
        if streams {
            let file = try StreamedCSVFile(path, schema: schema, openRanges: openRanges)
            return (file, file.schema)
        }
        let file = try CSVFile(path, schema: schema, openRanges: openRanges)
        return (file.dataset, file.schema)
    }

    /// The lines or windows of the text at `path`.
    func text(_ path: String, _ format: TextFormat, isLabelled: Bool = true) throws -> any Dataset {
        if streams { return try StreamedTextFile(path, format: format, isLabelled: isLabelled) }
        return try TextFile(path, format: format, isLabelled: isLabelled).dataset
    }
}
