import Datasets
import Differentiation
import Foundation
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PyTrees
import Testing

@Suite struct LowRankAdapterTests {
    private static let architecture = NetworkArchitecture(
        input: .features(5),
        layers: [
            .lowRankAdapter(outputs: 6, activation: .tanh, rank: 2, alpha: 4),
            .lowRankAdapter(outputs: 4, activation: .identity, rank: 3, alpha: 1.5),
            .dense(outputs: 2, activation: .identity),
        ], loss: .softmaxCrossEntropy)

    private func problem() throws -> (Network, Examples, ParameterVector) {
        var generator = SeededGenerator(seed: 2)
        let network = try Network(Self.architecture)
        return (network, generator.examples(4, for: network), try generator.parameters(for: network))
    }

    @Test func gradientsAgreeWithDifferences() throws {
        let (network, examples, parameters) = try problem()
        let check = network.checkGradients(of: examples, at: parameters)
        #expect(check.passes, "\(check)")
    }

    /// It begins as the network without adapters, whose leaves have the same names, in every bit.
    @Test func itBeginsAsTheNetworkItWasMadeFrom() throws {
        let (network, examples, _) = try problem()
        let plain = try Network(
            NetworkArchitecture(
                input: .features(5),
                layers: [
                    .dense(outputs: 6, activation: .tanh), .dense(outputs: 4, activation: .identity),
                    .dense(outputs: 2, activation: .identity),
                ], loss: .softmaxCrossEntropy))
        let start = network.initialParameters(seed: 4)
        let same = try ParameterVector(
            values: plain.layout.leaves.flatMap { start[$0.path].values }, layout: plain.layout)
        var (workspace, other) = (network.makeWorkspace(), plain.makeWorkspace())
        #expect(
            network.outputs(for: examples.inputs, at: start, workspace: &workspace)
                == plain.outputs(for: examples.inputs, at: same, workspace: &other))
        #expect(start["dense1/up"].values.allSatisfy { $0 == 0 })
        #expect(start["dense1/down"].values.allSatisfy { $0 != 0 && abs($0) <= 1 / Float(5).squareRoot() })
    }

    /// y = f(x(K + (α/r)AB) + b), number by number in Float64.
    @Test func outputsAreThoseOfTheMergedKernel() throws {
        var generator = SeededGenerator(seed: 5)
        var weights = InitialWeights(seed: 5)
        let dense = Dense(inputs: 3, outputs: 4, activation: .tanh, weights: &weights)
        var adapter = LowRankAdapter(dense, rank: 2, alpha: 3, weights: &weights)
        #expect(adapter.merged.kernel == dense.kernel)
        for index in adapter.up.values.indices { adapter.up.values[index] = generator.float() }
        let model = FunctionModel(parameters: adapter, featureCount: 3, targetCount: 4) { adapter, example in
            squaredError(adapter(example.features), example.target)
        }
        let merged = adapter.merged
        let inputs = generator.matrix(5, 3)
        var workspace = model.makeWorkspace()
        let outputs = model.outputs(for: inputs, at: adapter, workspace: &workspace)
        for example in 0..<5 {
            for output in 0..<4 {
                var sum = 0.0
                for input in 0..<3 {
                    let product = (0..<2).reduce(0.0) { sum, inner in
                        sum + Double(adapter.down[input, inner]) * Double(adapter.up[inner, output])
                    }
                    let kernel = Double(dense.kernel.values[input * 4 + output]) + 1.5 * product
                    sum += Double(inputs[example, input]) * kernel
                    #expect(abs(Double(merged.kernel.values[input * 4 + output]) - kernel) <= 8 * 0x1p-24)
                }
                // Some ten roundings of numbers of about 1.
                #expect(abs(Double(outputs[example, output]) - tanh(sum)) <= 30 * 0x1p-24)
            }
        }
    }

    @Test func whatIsFrozenIsAllButTheAdapters() throws {
        let (network, _, parameters) = try problem()
        func trained(_ paths: [TreePath]) throws -> [String] {
            try network.freezing(paths, of: parameters).layout.leaves.map { "\($0.path)" }
        }
        #expect(try trained(network.frozenPaths()) == ["dense1/down", "dense1/up", "dense2/down", "dense2/up"])
        #expect(
            try trained(network.frozenPaths(training: ["dense3"], freezesDown: true))
                == ["dense1/up", "dense2/up", "dense3/kernel", "dense3/bias"])
        // Without an adapter, there is nothing left.
        let plain = try Network(.multilayerPerceptron(dims: [3, 2]))
        #expect(throws: ModelError.nothingToTrain) {
            try plain.freezing(plain.frozenPaths(), of: plain.initialParameters(seed: 1))
        }
    }

    @Test func adaptersInsideOfATreeAreFound() throws {
        var weights = InitialWeights(seed: 5)
        let dense = Dense(inputs: 3, outputs: 3, weights: &weights)
        let blocks = [LowRankAdapter(dense, rank: 1, alpha: 1, weights: &weights)]
        let model = FunctionModel(parameters: ["blocks": blocks], featureCount: 3, targetCount: 3) { model, example in
            squaredError(model["blocks"]![0](example.features), example.target)
        }
        #expect(model.frozenPaths() == ["blocks/0/kernel", "blocks/0/bias"])
    }

    @Test func architecturesAreReadAsTheyAreWritten() throws {
        let data = try JSONEncoder().encode(Self.architecture)
        #expect(try JSONDecoder().decode(NetworkArchitecture.self, from: data) == Self.architecture)
    }

    @Test func mistakesAreNamed() {
        func error(rank: Int = 2, alpha: Float = 4, input: NetworkArchitecture.Input = .features(3)) -> ModelError? {
            #expect(throws: ModelError.self) {
                try Network(
                    NetworkArchitecture(
                        input: input,
                        layers: [.lowRankAdapter(outputs: 5, activation: .identity, rank: rank, alpha: alpha)],
                        loss: .softmaxCrossEntropy))
            }
        }
        #expect(error(rank: 0) == .invalidRank(0, inputs: 3, outputs: 5, layer: 0))
        #expect(error(rank: 4) == .invalidRank(4, inputs: 3, outputs: 5, layer: 0))
        #expect(error(rank: 4)?.description.contains("must be in 1...3") == true)
        #expect(error(alpha: 0) == .invalidAlpha(0, layer: 0))
        #expect(error(alpha: .infinity) == .invalidAlpha(.infinity, layer: 0))
    }
}
