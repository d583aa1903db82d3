import Datasets
import Foundation
import LinearAlgebra
import Networks
import PyTrees
import Testing

@Suite struct PyTorchTests {
    /// A module's tensors, and what PyTorch computes from an image of channels, rows and columns.
    private struct Convolution {
        let weight: Tensor
        let bias: Tensor

        /// `nn.Conv2d` of stride 1 without padding, and the hyperbolic tangent.
        func callAsFunction(_ image: [[[Double]]]) -> [[[Double]]] {
            let (channels, height, width) = (weight.shape[1], weight.shape[2], weight.shape[3])
            return (0..<weight.shape[0]).map { output in
                (0...image[0].count - height).map { row in
                    (0...image[0][0].count - width).map { column in
                        var sum = Double(bias[output])
                        for c in 0..<channels {
                            for i in 0..<height {
                                for j in 0..<width {
                                    sum += Double(weight[output, c, i, j]) * image[c][row + i][column + j]
                                }
                            }
                        }
                        return tanh(sum)
                    }
                }
            }
        }
    }

    /// `nn.Linear`.
    private static func linear(_ inputs: [Double], _ weight: Tensor, _ bias: Tensor) -> [Double] {
        (0..<weight.shape[0]).map { output in
            inputs.indices.reduce(Double(bias[output])) { $0 + Double(weight[output, $1]) * inputs[$1] }
        }
    }

    private static func random(_ shape: [Int], _ generator: inout SeededGenerator) throws -> Tensor {
        try Tensor(shape: shape, values: generator.floats(shape.reduce(1, *)))
    }

    private static func write(_ tensors: [(String, Tensor)], to path: String) throws {
        let layout = try TreeLayout(tensors.map { (TreePath([$0.0]), $0.1.shape) })
        try SafeTensors.write(try ParameterVector(values: tensors.flatMap(\.1.values), layout: layout), to: path)
    }

    private static let convolutional = NetworkArchitecture(
        input: .image(height: 4, width: 5, channels: 2),
        layers: [
            .convolution(outputs: 3, size: 2, stride: 1, padding: 0, activation: .tanh),
            .dense(outputs: 4, activation: .tanh), .dense(outputs: 2, activation: .identity),
        ], loss: .softmaxCrossEntropy)

    private static func tensors(_ generator: inout SeededGenerator) throws -> [(String, Tensor)] {
        // Sequential(Conv2d, Tanh, Flatten, Linear, Tanh, Linear), in the order in which safetensors.torch writes.
        try [
            ("0.bias", [3]), ("0.weight", [3, 2, 2, 2]), ("3.bias", [4]), ("3.weight", [4, 36]), ("5.bias", [2]),
            ("5.weight", [2, 4]),
        ].map { ($0, try random($1, &generator)) }
    }

    /// Convolution, flattening by channels first, and dense layers, computed in PyTorch's order.
    @Test func aConvolutionalNetworkComputesWhatPyTorchDoes() throws {
        var generator = SeededGenerator(seed: 1)
        let tensors = try Self.tensors(&generator)
        let folder = try TemporaryFolder()
        try Self.write(tensors, to: folder("m.safetensors"))
        let network = try Network(Self.convolutional)
        let parameters = try network.readPyTorch(folder("m.safetensors"))
        #expect(try network.read(folder("m.safetensors")) == parameters)
        let inputs = generator.matrix(3, 40)
        var workspace = network.makeWorkspace()
        let outputs = network.outputs(for: inputs, at: parameters, workspace: &workspace)
        let named = Dictionary(uniqueKeysWithValues: tensors)
        for example in 0..<3 {
            let image = (0..<2).map { c in
                (0..<4).map { row in (0..<5).map { Double(inputs[example, (row * 5 + $0) * 2 + c]) } }
            }
            let convolution = Convolution(weight: named["0.weight"]!, bias: named["0.bias"]!)
            let flat = convolution(image).flatMap { $0.flatMap(\.self) }
            let hidden = Self.linear(flat, named["3.weight"]!, named["3.bias"]!).map { tanh($0) }
            let scores = Self.linear(hidden, named["5.weight"]!, named["5.bias"]!)
            // Some 60 roundings of numbers up to 40.
            let tolerance: Double = 60 * 40 * 0x1p-24
            for (output, score) in scores.enumerated() {
                #expect(abs(Double(outputs[example, output]) - score) < tolerance)
            }
        }
    }

    /// One layer by hand: [out, in] = [[1, 2, 3], [4, 5, 6]].
    @Test func aLinearLayerIsTransposed() throws {
        let folder = try TemporaryFolder()
        let weight = try Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6])
        try Self.write([("weight", weight), ("bias", Tensor([7, 8]))], to: folder("m.safetensors"))
        let network = try Network(.softmaxRegression(features: 3, classes: 2))
        let parameters = try network.readPyTorch(folder("m.safetensors"))
        #expect(parameters["dense1/kernel"].values == [1, 4, 2, 5, 3, 6])
        #expect(parameters["dense1/bias"].values == [7, 8])
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        var generator = SeededGenerator(seed: 2)
        let folder = try TemporaryFolder()
        let network = try Network(Self.convolutional)
        let parameters = try generator.parameters(for: network)
        try network.writePyTorch(parameters, to: folder("m.safetensors"))
        #expect(try network.read(folder("m.safetensors")) == parameters)
        let tensors = try SafeTensors.readTensors(folder("m.safetensors"))
        let expected = Dictionary(uniqueKeysWithValues: try Self.tensors(&generator).map { ($0.0, $0.1.shape) })
        #expect(tensors.mapValues(\.shape) == expected)
        try SafeTensors.write(parameters, to: folder("own.safetensors"))
        #expect(try network.read(folder("own.safetensors")) == parameters)
    }

    /// `10` comes after `2`, and names that are given decide.
    @Test func layersAreMatchedByNumberOrByName() throws {
        var generator = SeededGenerator(seed: 3)
        let folder = try TemporaryFolder()
        let network = try Network(.multilayerPerceptron(dims: [2, 2, 2]))
        let (first, second) = (try Self.random([2, 2], &generator), try Self.random([2, 2], &generator))
        let bias = Tensor([0, 0])
        try Self.write(
            [("10.bias", bias), ("10.weight", second), ("2.bias", bias), ("2.weight", first)],
            to: folder("m.safetensors"))
        let ordered = try network.readPyTorch(folder("m.safetensors"))
        #expect(ordered["dense1/kernel"][0, 1] == first[1, 0] && ordered["dense2/kernel"][0, 1] == second[1, 0])
        let named = try network.readPyTorch(
            folder("m.safetensors"),
            names: [
                "dense1/kernel": "10.weight", "dense1/bias": "10.bias", "dense2/kernel": "2.weight",
                "dense2/bias": "2.bias",
            ])
        #expect(named["dense1/kernel"] == ordered["dense2/kernel"])
        #expect(named["dense2/kernel"] == ordered["dense1/kernel"])
    }

    /// The names of PyTorch's MNIST example: two of its tensors, `conv1.bias` and `conv2.bias`, are called as here.
    @Test func moduleNamesThatAreLikeOursAreReadAsPyTorchs() throws {
        var generator = SeededGenerator(seed: 4)
        let folder = try TemporaryFolder()
        let network = try Network(
            NetworkArchitecture(
                input: .image(height: 6, width: 6, channels: 1),
                layers: [
                    .convolution(outputs: 2, size: 3, stride: 1, padding: 0, activation: .relu),
                    .convolution(outputs: 3, size: 3, stride: 1, padding: 0, activation: .relu),
                    .pooling(.max, size: 2, stride: 2), .dense(outputs: 4, activation: .relu),
                    .dense(outputs: 2, activation: .identity),
                ], loss: .softmaxCrossEntropy))
        let parameters = try generator.parameters(for: network)
        try network.writePyTorch(parameters, to: folder("numbered.safetensors"))
        let numbered = try SafeTensors.readTensors(folder("numbered.safetensors"))
        let modules = ["0": "conv1", "2": "conv2", "6": "fc1", "8": "fc2"]
        let renamed = numbered.map { (name: String, tensor: Tensor) -> (String, Tensor) in
            let parts = name.split(separator: ".").map(String.init)
            return ("\(modules[parts[0]] ?? parts[0]).\(parts[1])", tensor)
        }
        let tensors = renamed.sorted { $0.0 < $1.0 }
        let names = Set(tensors.map { (name: String, _: Tensor) in name.prefix { $0 != "." } })
        #expect(names == ["conv1", "conv2", "fc1", "fc2"])
        try Self.write(tensors, to: folder("m.safetensors"))
        #expect(try network.read(folder("m.safetensors")) == parameters)
    }

    /// Where names say no order, layers of one shape could be exchanged without a trace.
    @Test func anOrderThatNobodyKnowsIsRefused() throws {
        let folder = try TemporaryFolder()
        let network = try Network(.multilayerPerceptron(dims: [2, 2, 2]))
        func read(_ first: String, _ second: String) throws -> Result<ParameterVector, FileError> {
            let tensors = [first, second].flatMap { [("\($0).weight", [2, 2]), ("\($0).bias", [2])] }
            try Self.write(tensors.map { ($0.0, Tensor(zeros: $0.1)) }, to: folder("m.safetensors"))
            return Result { () throws(FileError) in try network.read(folder("m.safetensors")) }
        }
        for (first, second) in [("encoder", "decoder"), ("hidden", "fc2"), ("fc", "fc1"), ("a.0", "b.1"), ("1", "01")] {
            guard case .failure(.tensors(_, .ambiguousOrder(let one, let other, [2, 2]))) = try read(first, second)
            else {
                Issue.record("\(first) and \(second) are read.")
                continue
            }
            #expect(Set([one, other]) == [first, second])
        }
        // Control: numbers say it, and so do shapes.
        for (first, second) in [("fc1", "fc2"), ("net.9", "net.10"), ("block1.0", "block2.0")] {
            #expect(throws: Never.self) { try read(first, second).get() }
        }
        let tapered = try Network(.multilayerPerceptron(dims: [2, 3, 1]))
        let tensors = [("a.weight", [3, 2]), ("a.bias", [3]), ("b.weight", [1, 3]), ("b.bias", [1])]
        try Self.write(tensors.map { ($0.0, Tensor(zeros: $0.1)) }, to: folder("m.safetensors"))
        #expect(throws: Never.self) { try tapered.read(folder("m.safetensors")) }
    }

    @Test func whatDoesNotFitIsNamed() throws {
        let folder = try TemporaryFolder()
        let network = try Network(.multilayerPerceptron(dims: [3, 4, 2]))
        func problem(_ tensors: [(String, [Int])]) throws -> SafeTensorsProblem? {
            try Self.write(tensors.map { ($0, Tensor(zeros: $1)) }, to: folder("m.safetensors"))
            let result = Result { () throws(FileError) in try network.read(folder("m.safetensors")) }
            guard case .failure(.tensors(_, let problem)) = result else { return nil }
            return problem
        }
        let good: [(String, [Int])] = [("0.weight", [4, 3]), ("0.bias", [4]), ("2.weight", [2, 4]), ("2.bias", [2])]
        #expect(try problem(good) == nil)
        #expect(
            try problem([("0.weight", [3, 4])] + good[1...])
                == .shapeMismatch(name: "0.weight", shape: [3, 4], expected: [4, 3]))
        #expect(
            try problem(good + [("4.weight", [1, 1])]) == .layerCountMismatch(layers: ["0", "2", "4"], expected: 2))
        #expect(try problem(good + [("1.running_mean", [4])]) == .unexpectedTensor("1.running_mean"))
        #expect(try problem(Array(good.dropLast())) == .missingTensor("2.bias"))
        // With this package's names, it is this package's shapes that are expected.
        #expect(
            try problem([("dense1.kernel", [4, 3]), ("dense1.bias", [4])])
                == .shapeMismatch(name: "dense1.kernel", shape: [4, 3], expected: [3, 4]))
    }
}
