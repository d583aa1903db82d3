import Datasets
import Foundation
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PyTrees
import Testing

@Suite struct ConvolutionLayerTests {
    private static func architecture(isStandardised: Bool, size: Int = 2) -> NetworkArchitecture {
        NetworkArchitecture(
            input: .image(height: 4, width: 5, channels: 1),
            layers: [
                .convolution(
                    outputs: 3, size: size, stride: 1, padding: 0, activation: .tanh, isStandardised: isStandardised),
                .dense(outputs: 2, activation: .identity),
            ], loss: .softmaxCrossEntropy)
    }

    @Test func gradientsOfStandardisedKernelsAgreeWithDifferences() throws {
        var generator = SeededGenerator(seed: 2)
        let network = try Network(Self.architecture(isStandardised: true))
        let examples = generator.examples(4, for: network)
        let check = network.checkGradients(of: examples, at: try generator.parameters(for: network))
        #expect(check.passes, "\(check)")
    }

    /// What a kernel is scaled by and shifted by does not matter, and its gradient is orthogonal to both; without
    /// standardisation it does.
    @Test func scaleAndShiftDoNotMatter() throws {
        var generator = SeededGenerator(seed: 3)
        for isStandardised in [true, false] {
            let network = try Network(Self.architecture(isStandardised: isStandardised))
            let (examples, parameters) = (generator.examples(3, for: network), try generator.parameters(for: network))
            var moved = parameters
            // So large that the summand of the variance does not matter in either.
            for index in moved["conv1/kernel"].values.indices {
                moved["conv1/kernel"].values[index] = 2000 + 1000 * parameters["conv1/kernel"].values[index]
            }
            var large = parameters
            for index in large["conv1/kernel"].values.indices { large["conv1/kernel"].values[index] *= 1000 }
            var workspace = network.makeWorkspace()
            let first = network.outputs(for: examples.inputs, at: large, workspace: &workspace).elements
            let second = network.outputs(for: examples.inputs, at: moved, workspace: &workspace).elements
            let distance = zip(first, second).reduce(0) { max($0, abs($1.0 - $1.1)) }
            // The shifted kernel is rounded to 2⁻¹³, of some hundreds.
            #expect((distance < 1e-4) == isStandardised)
        }
    }

    @Test func theKeyMayBeLeftOut() throws {
        let text = #"""
            {"kind": "convolution", "outputs": 3, "size": 2, "stride": 1, "padding": 0, "activation": "tanh"}
            """#
        let layers = Self.architecture(isStandardised: false).layers
        #expect(try JSONDecoder().decode(NetworkArchitecture.Layer.self, from: Data(text.utf8)) == layers[0])
        let standardised = Self.architecture(isStandardised: true)
        let data = try JSONEncoder().encode(standardised)
        #expect(try JSONDecoder().decode(NetworkArchitecture.self, from: data) == standardised)
        #expect(standardised.layers[0] != layers[0])
    }

    @Test func aKernelOfOneInputIsRefused() {
        #expect(throws: ModelError.nothingToStandardise(layer: 0)) {
            try Network(Self.architecture(isStandardised: true, size: 1))
        }
        #expect(throws: Never.self) { try Network(Self.architecture(isStandardised: false, size: 1)) }
    }
}
