import Datasets
import LinearAlgebra
import Networks
import PyTrees

extension SeededGenerator {
    /// Examples that a network can learn from, with random targets.
    package mutating func examples(_ count: Int, for network: Network) -> Examples {
        let outputs = network.outputCount
        let targets: Targets =
            switch network.architecture.loss {
            case .squaredError: .values(matrix(count, outputs))
            case .nextToken: .values(Matrix(rows: count, columns: 0))
            case .logistic: .classes((0..<count).map { _ in Int.random(in: 0..<2, using: &self) }, classCount: 2)
            case .softmaxCrossEntropy:
                .classes((0..<count).map { _ in Int.random(in: 0..<outputs, using: &self) }, classCount: outputs)
            }
        guard case .tokens(let length, let vocabulary) = network.architecture.input else {
            return Examples(inputs: matrix(count, network.featureCount), targets: targets)
        }
        // Some repeated, some padding.
        let ids = (0..<count * length).map { _ in Float(Int.random(in: -1..<vocabulary, using: &self)) }
        return Examples(inputs: Matrix(rows: count, columns: length, elements: ids), targets: targets)
    }

    /// Parameters in ±½, biases too.
    package mutating func parameters(for network: Network) throws -> ParameterVector {
        try ParameterVector(values: floats(network.layout.count, in: -0.5...0.5), layout: network.layout)
    }
}

extension Examples {
    package func slice(_ range: Range<Int>) -> Examples {
        let inputs = Matrix(rows: range.count, columns: self.inputs.columns, elements: range.flatMap(self.inputs.row))
        switch targets {
        case .classes(let classes, let count):
            return Examples(inputs: inputs, targets: .classes(Array(classes[range]), classCount: count))
        case .values(let values):
            let part = Matrix(rows: range.count, columns: values.columns, elements: range.flatMap(values.row))
            return Examples(inputs: inputs, targets: .values(part))
        }
    }
}
