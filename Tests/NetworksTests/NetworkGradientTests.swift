import Datasets
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PyTrees
import Testing

@Suite struct NetworkGradientTests {
    static let activations: [Activation] = [
        .identity, .relu, .tanh, .gelu, .temperedSigmoid(scale: 1.5, temperature: 2.5, offset: 0.6),
    ]

    @Test(arguments: activations, [LossFunction.squaredError, .logistic, .softmaxCrossEntropy])
    func denseLayersAgreeWithDifferences(activation: Activation, loss: LossFunction) throws {
        for seed in 0..<4 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let outputs = loss == .logistic ? 1 : Int.random(in: 2...4, using: &generator)
            let dims = [Int.random(in: 1...6, using: &generator), Int.random(in: 1...9, using: &generator), 3, outputs]
            let network = try Network(.multilayerPerceptron(dims: dims, activation: activation, loss: loss))
            let check = try GradientCheck(network, examples: 3, seed: seed)
            #expect(check.failures(of: check.ownGradients()) == 0, "dims \(dims)")
        }
    }

    @Test(arguments: activations)
    func anActivationAfterTheLastLayerCountsToo(activation: Activation) throws {
        let network = try Network(
            NetworkArchitecture(
                input: .features(5), layers: [.dense(outputs: 3, activation: activation)], loss: .squaredError))
        let check = try GradientCheck(network, examples: 4, seed: 11)
        #expect(check.failures(of: check.ownGradients()) == 0)
    }

    static let images: [[NetworkArchitecture.Layer]] = [
        [.convolution(outputs: 2, size: 3, stride: 1, padding: 0, activation: .tanh)],
        [.convolution(outputs: 3, size: 2, stride: 2, padding: 1, activation: .relu)],
        [
            .convolution(outputs: 2, size: 3, stride: 2, padding: 2, activation: .gelu),
            .convolution(outputs: 3, size: 2, stride: 1, padding: 1, activation: .tanh),
        ],
        [
            .convolution(outputs: 4, size: 3, stride: 1, padding: 1, activation: .relu),
            .pooling(.max, size: 2, stride: 1),
            .convolution(outputs: 2, size: 2, stride: 2, padding: 0, activation: .identity),
            .pooling(.average, size: 2, stride: 1),
        ],
        [.pooling(.max, size: 2, stride: 2)],
        [.pooling(.average, size: 3, stride: 1), .pooling(.max, size: 2, stride: 1)],
    ]

    @Test(arguments: images)
    func imageLayersAgreeWithDifferences(layers: [NetworkArchitecture.Layer]) throws {
        for (seed, shape) in [(6, 5, 1), (5, 7, 2), (6, 6, 3)].enumerated() {
            let network = try Network(
                NetworkArchitecture(
                    input: .image(height: shape.0, width: shape.1, channels: shape.2),
                    layers: layers + [.dense(outputs: 3, activation: .identity)], loss: .softmaxCrossEntropy))
            let check = try GradientCheck(network, examples: 2, seed: UInt64(seed))
            #expect(check.failures(of: check.ownGradients()) == 0, "\(shape)")
        }
    }

    /// Control: gradients as a mistaken backward pass would give them.
    @Test func theCheckRejectsABrokenBackwardPass() throws {
        let network = try Network(.multilayerPerceptron(dims: [3, 4, 4, 2], activation: .tanh))
        let check = try GradientCheck(network, examples: 3, seed: 5)
        var workspace = network.makeWorkspace()
        let own = network.gradients(of: check.examples, at: check.parameters, workspace: &workspace)
        let twin = BrokenBackward(parts: own.parts, parameters: check.parameters, layout: network.layout)
        #expect(try check.failures(of: twin.gradients(outputGradients: { $0 }).rows) == 0)
        for broken in BrokenBackward.mistakes {
            #expect(try check.failures(of: twin.gradients(outputGradients: { broken(twin, $0) }).rows) >= 8)
        }
    }

    /// Control: the output gradients of a convolution at the wrong positions.
    @Test func theCheckRejectsErrorsAtOtherPositions() throws {
        let network = try Network(
            NetworkArchitecture(
                input: .image(height: 5, width: 5, channels: 1),
                layers: Self.images[0] + [.dense(outputs: 2, activation: .identity)], loss: .softmaxCrossEntropy))
        let check = try GradientCheck(network, examples: 1, seed: 3)
        var workspace = network.makeWorkspace()
        let own = network.gradients(of: check.examples, at: check.parameters, workspace: &workspace)
        guard case .sequence(let kernel, let bias, let activations, let outputGradients, let positions) = own.parts[0]
        else {
            Issue.record("A convolution's part is no sequence.")
            return
        }
        let reversed = Matrix(
            rows: outputGradients.rows, columns: outputGradients.columns,
            elements: (0..<outputGradients.rows).reversed().flatMap(outputGradients.row))
        let part = FactoredGradients.Part.sequence(
            kernel: kernel, bias: bias, activations: activations, outputGradients: reversed, positions: positions)
        let broken = try FactoredGradients(layout: network.layout, exampleCount: 1, parts: [part] + own.parts[1...])
        #expect(check.failures(of: own.rows) == 0)
        #expect(check.failures(of: broken.rows) >= 8)
    }
}

/// The output gradients of the middle layer made anew from those of the last one, rightly or with a mistake.
private struct BrokenBackward {
    let parts: [FactoredGradients.Part]
    let parameters: ParameterVector
    let layout: TreeLayout

    typealias Mistake = @Sendable (BrokenBackward, Matrix) -> Matrix

    /// A wrong sign, a kernel that is not transposed, and a missing derivative.
    static let mistakes: [Mistake] = [
        { _, outputGradients in outputGradients.map { -outputGradients[$0, $1] } },
        { twin, _ in twin.backpropagated(isTransposed: false, hasDerivative: true) },
        { twin, _ in twin.backpropagated(isTransposed: true, hasDerivative: false) },
    ]

    func gradients(outputGradients change: (Matrix) -> Matrix) throws -> FactoredGradients {
        guard case .dense(let kernel, nil, let activations, let outputGradients) = parts[2],
            case .rows(let bias, outputGradients) = parts[3]
        else {
            preconditionFailure("The middle layer is dense.")
        }
        // The right way, made by this type, must pass: else its mistakes would prove nothing.
        let right = backpropagated(isTransposed: true, hasDerivative: true)
        #expect(zip(right.elements, outputGradients.elements).allSatisfy { abs($0 - $1) < 1e-6 })
        let changed = change(outputGradients)
        var parts = parts
        parts[2] = .dense(kernel: kernel, bias: nil, activations: activations, outputGradients: changed)
        parts[3] = .rows(leaves: bias, changed)
        return try FactoredGradients(layout: layout, exampleCount: outputGradients.rows, parts: parts)
    }

    /// (E·Kᵀ) ∘ (1 − Y²), with E and K of the last layer and Y its inputs; or with K read as if it lay transposed.
    func backpropagated(isTransposed: Bool, hasDerivative: Bool) -> Matrix {
        guard case .dense(let path, _, let outputs, let outputGradients) = parts[4] else {
            preconditionFailure("The last layer is dense.")
        }
        let kernel = parameters[path].values
        let (inputs, columns) = (outputs.columns, outputGradients.columns)
        return outputs.map { example, i in
            let sum = (0..<columns).reduce(Float(0)) { sum, j in
                sum + outputGradients[example, j] * kernel[isTransposed ? i * columns + j : j * inputs + i]
            }
            return hasDerivative ? sum * (1 - outputs[example, i] * outputs[example, i]) : sum
        }
    }
}

extension Matrix {
    fileprivate func map(_ body: (_ row: Int, _ column: Int) -> Float) -> Matrix {
        Matrix(
            rows: rows, columns: columns, elements: (0..<count).map { body($0 / columns, $0 % columns) })
    }
}
