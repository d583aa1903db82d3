import LinearAlgebra
import PrivateTraining
import PyTrees

/// SplitMix64, so that every run of a test sees the same numbers.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }

    mutating func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        Matrix(rows: rows, columns: columns, elements: floats(rows * columns))
    }

    /// Examples that a network can learn from, with random targets.
    mutating func examples(_ count: Int, for network: Network) -> Examples {
        let outputs = network.outputCount
        let targets: Targets =
            switch network.architecture.loss {
            case .squaredError: .values(matrix(count, outputs))
            case .logistic: .classes((0..<count).map { _ in Int.random(in: 0..<2, using: &self) }, classCount: 2)
            case .softmaxCrossEntropy:
                .classes((0..<count).map { _ in Int.random(in: 0..<outputs, using: &self) }, classCount: outputs)
            }
        return Examples(inputs: matrix(count, network.featureCount), targets: targets)
    }

    /// Parameters in ±½, biases too.
    mutating func parameters(for network: Network) throws -> ParameterVector {
        try ParameterVector(values: floats(network.layout.count, in: -0.5...0.5), layout: network.layout)
    }
}

extension Matrix {
    var elements: [Float] { withUnsafeElements { Array($0) } }

    func row(_ index: Int) -> [Float] { withRow(index) { row in row.indices.map { row[$0] } } }
}

extension Examples {
    func slice(_ range: Range<Int>) -> Examples {
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
