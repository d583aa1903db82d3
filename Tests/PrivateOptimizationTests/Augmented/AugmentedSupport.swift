import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
@_exported import _TestSupport

/// Trajectories of scale-then-privatize by jax_privacy.
enum ScaleThenPrivatizeReference {
    struct Case: Decodable {
        let base: String
        let eps: Double
        let epsRoot: Double
        let clipNorm: Number
        let noiseMultiplier: Double
        let params: Tree
        let perExampleGradients: [Tree]
        let standardNormal: [Tree]
        let transformedNorms: [Flat]
        let clippedSum: [Tree]
        let noisySum: [Tree]
        let updates: [Tree]
        let paramsAfter: [Tree]
    }

    /// A matrix, a vector and a scalar, or as many of each as there are examples.
    struct Tree: Decodable {
        struct Dense: Decodable {
            let bias: Flat
            let kernel: Flat
        }

        let dense: Dense
        let temperature: Flat

        /// All elements of a single tree, in layout order.
        var vector: ParameterVector {
            try! ParameterVector(
                values: (dense.bias.values + dense.kernel.values + temperature.values).map { Float($0) },
                layout: .augmentedReference)
        }

        /// One row per example.
        var rows: Matrix {
            let count = temperature.values.count
            var elements: [Float] = []
            for example in 0..<count {
                for (leaf, length) in [(dense.bias, 4), (dense.kernel, 12), (temperature, 1)] {
                    elements += leaf.values[length * example..<length * (example + 1)].map { Float($0) }
                }
            }
            return Matrix(rows: count, columns: 17, elements: elements)
        }
    }

    /// A number, or the name of one that JSON lacks.
    struct Number: Decodable {
        let value: Double

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            value = try (try? container.decode(Double.self)) ?? Double(container.decode(String.self))!
        }
    }

    /// Numbers in arrays of any depth.
    struct Flat: Decodable {
        let values: [Double]

        init(from decoder: any Decoder) throws {
            if let number = try? decoder.singleValueContainer().decode(Double.self) {
                values = [number]
            } else {
                values = try decoder.singleValueContainer().decode([Flat].self).flatMap(\.values)
            }
        }
    }

    private struct File: Decodable {
        let cases: [Case]
    }

    static func load() throws -> [Case] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try ReferenceValues.load("scale_then_privatize.json", as: File.self, decoder: decoder).cases
    }
}

extension TreeLayout {
    static let augmentedReference = try! TreeLayout([
        ("dense/bias", [4]), ("dense/kernel", [3, 4]), ("temperature", []),
    ])
}

/// The reference's parameters, and each gradient, as a struct.
struct ReferenceModel: PyTree {
    struct Dense: PyTree {
        var bias = Tensor(zeros: [4])
        var kernel = Tensor(zeros: [3, 4])

        mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
            try visitor.visit("bias", &bias)
            try visitor.visit("kernel", &kernel)
        }
    }

    var dense = Dense()
    var temperature: Float = 0

    init(_ vector: ParameterVector) {
        try! unflatten(from: vector)
    }

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("dense", &dense)
        try visitor.visit("temperature", &temperature)
    }
}

/// Linear regression with several outputs: x ↦ Wᵀx + b, half the squared error, one gradient per example.
struct LeastSquares {
    let inputs: Matrix
    let targets: Matrix
    let layout: TreeLayout

    /// Exact targets of a solution with random entries.
    init(examples: Int, inputs inputCount: Int, outputs: Int, seed: UInt64 = 1) {
        var noise = GaussianNoise(nonPrivateSeed: seed)
        var inputs = Matrix(rows: examples, columns: inputCount)
        inputs.withMutableRows(0..<examples) { noise.fill(&$0) }
        var solution = Matrix(rows: inputCount, columns: outputs)
        solution.withMutableRows(0..<inputCount) { noise.fill(&$0) }
        var targets = Matrix(rows: examples, columns: outputs)
        BLAS.gemm(inputs, .none, solution, .none, into: &targets)
        self.inputs = inputs
        self.targets = targets
        layout = try! TreeLayout([("bias", [outputs]), ("kernel", [inputCount, outputs])])
    }

    private func residuals(at parameters: ParameterVector, of example: Int) -> [Float] {
        let outputs = targets.columns
        return (0..<outputs).map { output in
            (0..<inputs.columns).reduce(parameters.values[output] - targets[example, output]) {
                $0 + inputs[example, $1] * parameters.values[outputs + $1 * outputs + output]
            }
        }
    }

    func gradients(at parameters: ParameterVector) -> DenseRows {
        let outputs = targets.columns
        var rows = Matrix(rows: inputs.rows, columns: layout.count)
        for example in 0..<inputs.rows {
            let residuals = residuals(at: parameters, of: example)
            rows.withMutableRow(example) { row in
                for output in 0..<outputs {
                    row[output] = residuals[output]
                    for input in 0..<inputs.columns {
                        row[outputs + input * outputs + output] = inputs[example, input] * residuals[output]
                    }
                }
            }
        }
        return try! DenseRows(rows, layout: layout)
    }

    func loss(at parameters: ParameterVector) -> Double {
        (0..<inputs.rows).reduce(0.0) { sum, example in
            sum + residuals(at: parameters, of: example).reduce(0.0) { $0 + Double($1 * $1) / 2 }
        } / Double(inputs.rows)
    }

    /// The loss after `steps` private steps from zero.
    func loss(
        after steps: Int, of optimizer: some AugmentedGradientTransformation, l2ClipNorm: Double,
        noiseMultiplier: Double
    ) throws -> Double {
        var parameters = ParameterVector(zeros: layout)
        var state = try optimizer.initialState(for: parameters)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 2)
        var workspace = StepWorkspace()
        let clipping = try ClippingRule.flat(l2ClipNorm: l2ClipNorm, normalizeBy: Double(inputs.rows))
        for _ in 0..<steps {
            try optimizer.privateStep(
                on: gradients(at: parameters), state: &state, parameters: &parameters, clipping: clipping,
                noiseMultiplier: noiseMultiplier, noise: &noise, workspace: &workspace)
        }
        return loss(at: parameters)
    }
}

extension AugmentedGradientTransformation {
    /// Steps on a vector of the transformed space as if noise had made it.
    func step(
        onTransformed vector: ParameterVector, state: inout State, parameters: inout ParameterVector
    ) throws {
        let transform = try preClippingTransform(for: state, layout: parameters.layout)
        step(TransformedGradient(vector, transform: transform), state: &state, parameters: &parameters)
    }
}
