import Datasets
import Networks
import PyTrees
import Testing

/// A mapping says the same of a network as its own reader of PyTorch's files.
@Suite struct MappedWeightsTests {
    @Test func aMappingReadsWhatANetworkWritesForPyTorch() throws {
        let network = try Network(
            NetworkArchitecture(
                input: .image(height: 4, width: 5, channels: 2),
                layers: [
                    .convolution(outputs: 3, size: 2, stride: 1, padding: 0, activation: .tanh),
                    .dense(outputs: 4, activation: .tanh), .dense(outputs: 2, activation: .identity),
                ], loss: .softmaxCrossEntropy))
        var generator = SeededGenerator(seed: 2)
        let parameters = try generator.parameters(for: network)
        let folder = try TemporaryFolder()
        try network.writePyTorch(parameters, to: folder("m.safetensors"))
        // Conv2d, Tanh, Flatten, Linear, Tanh, Linear: the convolution leaves an image of 3 × 4 pixels.
        let mapping = try WeightMapping([
            .init(from: "0.weight", to: "conv1/kernel", order: .convolution(height: 2, width: 2)),
            .init(from: "3.weight", to: "dense1/kernel", order: .flattened(height: 3, width: 4)),
            .init(from: "5.weight", to: "dense2/kernel", order: .linear),
            .init(from: "0.bias", to: "conv1/bias", order: .same),
            .init(from: "3.bias", to: "dense1/bias", order: .same),
            .init(from: "5.bias", to: "dense2/bias", order: .same),
        ])
        let start = ParameterVector(zeros: network.layout)
        #expect(try SafeTensors.read(folder("m.safetensors"), into: start, by: mapping).parameters == parameters)
        try SafeTensors.write(parameters, by: mapping, to: folder("mapped.safetensors"))
        #expect(
            try SafeTensors.readTensors(folder("mapped.safetensors"))
                == SafeTensors.readTensors(folder("m.safetensors")))
    }
}
