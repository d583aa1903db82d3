import Datasets
import Foundation
import LinearAlgebra
import Networks
import PyTrees
import Testing

@Suite struct DropoutLayerTests {
    private static let architecture = NetworkArchitecture(
        input: .features(6),
        layers: [
            .dense(outputs: 8, activation: .tanh), .dropout(rate: 0.5), .dense(outputs: 3, activation: .identity),
            .dropout(rate: 0.25),
        ], loss: .softmaxCrossEntropy)

    private func problem() throws -> (Network, Examples, ParameterVector) {
        var generator = SeededGenerator(seed: 2)
        let network = try Network(Self.architecture)
        return (network, generator.examples(6, for: network), try generator.parameters(for: network))
    }

    @Test func gradientsAgreeWithDifferences() throws {
        let (network, examples, parameters) = try problem()
        let check = network.checkGradients(of: examples, at: parameters)
        #expect(check.passes, "\(check)")
    }

    /// A step that is done again after a run was resumed draws the same, whatever the microbatches are; another step
    /// draws other numbers.
    @Test func aStepIsTheSameWhenItIsDoneAgain() throws {
        var (network, examples, parameters) = try problem()
        func rows(_ examples: Examples) -> [[Float]] {
            var workspace = network.makeWorkspace()
            return network.gradients(of: examples, at: parameters, workspace: &workspace).rows
        }
        examples.drawKey = 7
        let first = rows(examples)
        #expect(rows(examples) == first)
        for part in [0..<2, 2..<5, 5..<6] {
            var piece = examples.slice(part)
            piece.drawKey = 7
            #expect(rows(piece) == Array(first[part]))
        }
        examples.drawKey = 8
        #expect(zip(rows(examples), first).allSatisfy { $0 != $1 })
    }

    @Test func evaluationDropsNothing() throws {
        let (network, examples, parameters) = try problem()
        let plain = try Network(
            NetworkArchitecture(
                input: .features(6), layers: [Self.architecture.layers[0], Self.architecture.layers[2]],
                loss: .softmaxCrossEntropy))
        let same = try ParameterVector(values: parameters.values, layout: plain.layout)
        var (workspace, other) = (network.makeWorkspace(), plain.makeWorkspace())
        let found = network.outputsAndLosses(of: examples, at: parameters, workspace: &workspace)
        let expected = plain.outputsAndLosses(of: examples, at: same, workspace: &other)
        #expect(found.outputs == expected.outputs && found.losses == expected.losses)
        #expect(network.outputs(for: examples.inputs, at: parameters, workspace: &workspace) == expected.outputs)
        // Control: in training it does.
        let losses = network.gradients(of: examples, at: parameters, workspace: &workspace).nonPrivateLosses
        #expect(losses != expected.losses)
    }

    @Test func architecturesAreReadAsTheyAreWritten() throws {
        let data = try JSONEncoder().encode(Self.architecture)
        #expect(try JSONDecoder().decode(NetworkArchitecture.self, from: data) == Self.architecture)
        #expect(try Network(Self.architecture).layout.leaves.count == 4)
    }

    @Test(arguments: [1, -0.1, .nan, 2])
    func aRateOutOfRangeIsNamed(_ rate: Double) {
        let architecture = NetworkArchitecture(
            input: .features(6), layers: [.dense(outputs: 3, activation: .relu), .dropout(rate: rate)],
            loss: .softmaxCrossEntropy)
        let error = #expect(throws: ModelError.self) { try Network(architecture) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("layer 1 is \(rate), but must be in [0, 1)"))
    }
}
