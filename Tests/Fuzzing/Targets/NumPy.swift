import Datasets

extension FuzzTarget {
    /// An array, as features, as token ids and as owners.
    static let npy = FuzzTarget(name: "npy") { bytes in
        let path = ScratchFile.holding(bytes, named: "input.npy")
        let array = try NumPyArray(contentsOf: path, limit: fileLimit)
        if array.rows.multipliedReportingOverflow(by: array.columns).partialValue == array.count {
            let matrix = array.matrix()
            expect(matrix.rows == array.rows && matrix.columns == array.columns, "The matrix has another shape.")
        }
        _ = try? OwnersFile.read(path, limit: fileLimit)
        _ = try? NumPyFile(path, labels: path, classCount: 10, limit: fileLimit)
        _ = try? NumPyFile(path, lengths: path, inputs: .tokens, limit: fileLimit)
        let file = try NumPyFile(features: path, limit: fileLimit)
        do {
            let streamed = try StreamedNumPyFile(path)
            let examples = try streamed.examples(at: Array(0..<min(streamed.count, 100)))
            let same = file.dataset.examples(at: Array(0..<min(streamed.count, 100)))
            expect(examples.inputs == same.inputs, "A streamed file has other features.")
        } catch DatasetError.cannotStream {
        }
    }

    /// An archive, as training and as evaluation sets.
    static let npz = FuzzTarget(name: "npz") { bytes in
        let path = ScratchFile.holding(bytes, named: "input.npz")
        _ = try? NumPyFile(evaluationSet: path, classCount: 10, limit: fileLimit)
        _ = try NumPyFile(path, classCount: 10, limit: fileLimit)
    }
}
