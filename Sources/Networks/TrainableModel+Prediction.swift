import Datasets
import LinearAlgebra
import Requirements

extension TrainableModel {
    /// What the model says about each row of `inputs`: classes or numbers, as ``predictions(from:)`` does.
    ///
    /// Computed in blocks of `blockSize` rows, so that memory for the outputs of one block is held. Throws
    /// `ModelError.widthMismatch` if the rows have another number of features than the model. Traps unless `parameters`
    /// fit the model and `blockSize` is at least 1.
    public func predict(
        _ inputs: Matrix, at parameters: Parameters, blockSize: Int = 1024
    ) throws(ModelError) -> Targets {
        require(blockSize >= 1, "Blocks of \(blockSize) rows were asked for; 1 is the smallest.")
        guard inputs.columns == featureCount else {
            throw .widthMismatch(.inputs, model: featureCount, data: inputs.columns)
        }
        var workspace = makeWorkspace()
        var classes: [Int] = []
        var classCount = outputCount
        var values: [Float]?
        for begin in stride(from: 0, to: max(1, inputs.rows), by: blockSize) {
            let block = inputs.rows(begin..<min(begin + blockSize, inputs.rows))
            switch predictions(from: outputs(for: block, at: parameters, workspace: &workspace)) {
            case .classes(let predicted, let count):
                classes += predicted
                classCount = count
            case .values(let predicted):
                values = (values ?? []) + predicted.withUnsafeElements { Array($0) }
            }
        }
        guard let values else { return .classes(classes, classCount: classCount) }
        return .values(Matrix(rows: inputs.rows, columns: outputCount, elements: values))
    }

    /// The same for rows of numbers. Traps unless all have the same length.
    public func predict(_ inputs: [[Float]], at parameters: Parameters) throws(ModelError) -> Targets {
        try predict(inputs.isEmpty ? Matrix(rows: 0, columns: featureCount) : Matrix(inputs), at: parameters)
    }
}

extension Matrix {
    /// A copy of the rows in `range`.
    fileprivate func rows(_ range: Range<Int>) -> Matrix {
        if range == 0..<rows { return self }
        return withUnsafeElements {
            Matrix(
                rows: range.count, columns: columns,
                elements: Array($0[range.lowerBound * columns..<range.upperBound * columns]))
        }
    }
}
