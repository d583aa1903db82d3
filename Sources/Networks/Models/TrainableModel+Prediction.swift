import Datasets
import LinearAlgebra
import Requirements

extension TrainableModel {
    /// What the model says about each row of `inputs`: classes or numbers, as ``predictions(from:)`` does.
    ///
    /// `lengths` says how many positions of each example's sequence there are, where not all are. Computed in blocks of `blockSize` rows, so that memory for the outputs of one block is held. Throws
    /// what ``checkInputs(_:lengths:)`` does if the rows do not fit. Traps unless `parameters` fit the model and
    /// `blockSize` is at least 1.
    public func predict(
        _ inputs: Matrix, lengths: [Int]? = nil, at parameters: Parameters, blockSize: Int = 1024
    ) throws(ModelError) -> Targets {
        require(blockSize >= 1, "Blocks of \(blockSize) rows were asked for; 1 is the smallest.")
        try checkInputs(inputs, lengths: lengths)
        var classes: [Int] = []
        var classCount = outputCount
        var values: [Float] = []
        var numberCount: Int?
        forEachBlock(of: inputs, lengths: lengths, at: parameters, blockSize: blockSize) { outputs in
            switch predictions(from: outputs) {
            case .classes(let predicted, let count):
                classes += predicted
                classCount = count
            case .values(let predicted):
                numberCount = predicted.columns
                predicted.withUnsafeElements { values.append(contentsOf: $0) }
            }
        }
        guard let numberCount else { return .classes(classes, classCount: classCount) }
        return .values(Matrix(rows: inputs.rows, columns: numberCount, elements: values))
    }

    /// Calls `body` with the outputs for each block of up to `blockSize` rows of `inputs`, in their order; once for no
    /// rows. Traps unless inputs and parameters fit the model.
    package func forEachBlock(
        of inputs: Matrix, lengths: [Int]? = nil, at parameters: Parameters, blockSize: Int = 1024,
        _ body: (Matrix) throws -> Void
    ) rethrows {
        var workspace = makeWorkspace()
        for begin in stride(from: 0, to: max(1, inputs.rows), by: blockSize) {
            let rows = begin..<min(begin + blockSize, inputs.rows)
            try body(
                outputs(
                    for: inputs.rows(rows), lengths: lengths.map { Array($0[rows]) }, at: parameters,
                    workspace: &workspace))
        }
    }

    /// The same for rows of numbers. Traps unless all have the same length.
    public func predict(_ inputs: [[Float]], at parameters: Parameters) throws(ModelError) -> Targets {
        try predict(inputs.isEmpty ? Matrix(rows: 0, columns: featureCount) : Matrix(inputs), at: parameters)
    }
}
