import Datasets
import Foundation
import LinearAlgebra
import Networks
import PyTrees
import Testing

@Suite struct ResidualTests {
    private static let architecture = NetworkArchitecture(
        input: .features(4),
        layers: [
            .residual([
                .dense(outputs: 5, activation: .tanh),
                .residual([.dense(outputs: 5, activation: .identity)]), .dense(outputs: 4, activation: .tanh),
            ]), .dense(outputs: 2, activation: .identity),
        ], loss: .squaredError)

    @Test func gradientsAgreeWithDifferences() throws {
        var generator = SeededGenerator(seed: 2)
        let network = try Network(Self.architecture)
        let examples = generator.examples(4, for: network)
        let check = network.checkGradients(of: examples, at: try generator.parameters(for: network))
        #expect(check.passes, "\(check)")
    }

    /// x + f(x), number by number in Float64.
    @Test func outputsAreTheInputsAndWhatTheLayersAdd() throws {
        var generator = SeededGenerator(seed: 3)
        let network = try Network(
            NetworkArchitecture(
                input: .features(3), layers: [.residual([.dense(outputs: 3, activation: .tanh)])],
                loss: .squaredError))
        let (examples, parameters) = (generator.examples(2, for: network), try generator.parameters(for: network))
        var workspace = network.makeWorkspace()
        let outputs = network.outputs(for: examples.inputs, at: parameters, workspace: &workspace)
        let (kernel, bias) = (parameters["residual1/dense1/kernel"].values, parameters["residual1/dense1/bias"].values)
        for example in 0..<2 {
            let x = examples.inputs.row(example).map(Double.init)
            for output in 0..<3 {
                let sum = (0..<3).reduce(Double(bias[output])) { $0 + x[$1] * Double(kernel[$1 * 3 + output]) }
                // Some ten roundings of numbers of about 1.
                #expect(abs(Double(outputs[example, output]) - x[output] - tanh(sum)) <= 20 * 0x1p-24)
            }
        }
    }

    @Test func leavesLieUnderTheirLayers() throws {
        let paths = try Network(Self.architecture).layout.leaves.map { "\($0.path)" }
        #expect(
            paths == [
                "residual1/dense1/kernel", "residual1/dense1/bias", "residual1/residual1/dense1/kernel",
                "residual1/residual1/dense1/bias", "residual1/dense2/kernel", "residual1/dense2/bias",
                "dense1/kernel", "dense1/bias",
            ])
    }

    @Test func architecturesAreReadAsTheyAreWritten() throws {
        let data = try JSONEncoder().encode(Self.architecture)
        #expect(try JSONDecoder().decode(NetworkArchitecture.self, from: data) == Self.architecture)
        let text = #"{"kind": "residual", "layers": [{"kind": "dense", "outputs": 4, "activation": "relu"}]}"#
        #expect(
            try JSONDecoder().decode(NetworkArchitecture.Layer.self, from: Data(text.utf8))
                == .residual([.dense(outputs: 4, activation: .relu)]))
    }

    @Test func mistakesAreNamed() {
        func error(_ layers: [NetworkArchitecture.Layer]) -> ModelError? {
            #expect(throws: ModelError.self) {
                try Network(NetworkArchitecture(input: .features(4), layers: layers, loss: .squaredError))
            }
        }
        #expect(
            error([.residual([.dense(outputs: 3, activation: .relu)])])
                == .residualChangesShape(layer: 0, from: [4], to: [3]))
        #expect(error([.residual([])]) == .insideResidual(layer: 0, .noLayers))
        let inner = error([
            .dense(outputs: 4, activation: .relu), .residual([.pooling(.max, size: 2, stride: 1)]),
        ])
        #expect(inner == .insideResidual(layer: 1, .noImage(layer: 0)))
        #expect(inner?.description.hasPrefix("Inside of the residual layer 1: Layer 0 slides") == true)
    }
}
