import Datasets
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PyTrees
import Testing

@Suite struct FrozenModelTests {
    private static let architecture = NetworkArchitecture(
        input: .image(height: 4, width: 4, channels: 1),
        layers: [
            .convolution(outputs: 2, size: 2, stride: 1, padding: 0, activation: .tanh),
            .dense(outputs: 3, activation: .tanh), .dense(outputs: 2, activation: .identity),
        ], loss: .softmaxCrossEntropy)

    private func problem(seed: UInt64) throws -> (Network, Examples, ParameterVector) {
        var generator = SeededGenerator(seed: seed)
        let network = try Network(Self.architecture)
        return (network, generator.examples(5, for: network), try generator.parameters(for: network))
    }

    /// The gradients are the network's own, in every bit, without the frozen columns.
    @Test(arguments: [["conv1"], ["dense1/kernel"], ["conv1/kernel", "dense2"], []] as [[TreePath]])
    func gradientsAreThoseOfTheTrainedLeaves(frozen: [TreePath]) throws {
        let (network, examples, parameters) = try problem(seed: 1)
        let model = try network.freezing(frozen, of: parameters)
        var (workspace, own) = (network.makeWorkspace(), model.makeWorkspace())
        let all = network.gradients(of: examples, at: parameters, workspace: &workspace)
        let trained = model.initialParameters(seed: 9)
        #expect(trained == model.mask.selected(from: parameters))
        for _ in 0..<2 {
            let part = model.gradients(of: examples, at: trained, workspace: &own)
            let columns = model.mask.selectedColumns
            #expect(part.rows == all.rows.map { row in columns.flatMap { row[$0] } })
            #expect(part.nonPrivateLosses == all.nonPrivateLosses)
        }
        let outputs = model.outputs(for: examples.inputs, at: trained, workspace: &own)
        #expect(outputs == network.outputs(for: examples.inputs, at: parameters, workspace: &workspace))
    }

    /// What only frozen leaves' gradients need is left out: no gradients of the values before the first trained leaf,
    /// and none of the frozen leaves; all others are the same in every bit.
    @Test(arguments: [["conv1"], ["conv1", "dense1"], ["dense2"], ["conv1/kernel"], ["dense1/bias"]] as [[TreePath]])
    func whatOnlyFrozenLeavesNeedIsLeftOut(frozen: [TreePath]) throws {
        let (network, examples, parameters) = try problem(seed: 7)
        let mask = try network.freezing(frozen, of: parameters).mask
        let part = network.training(only: mask)
        var (workspace, own) = (network.makeWorkspace(), part.makeWorkspace())
        let all = network.gradients(of: examples, at: parameters, workspace: &workspace)
        let some = part.gradients(of: examples, at: parameters, workspace: &own)
        for (row, whole) in zip(some.rows, all.rows) {
            for (leaf, isTrained) in zip(network.layout.leaves, mask.selection) {
                let expected = isTrained ? Array(whole[leaf.range]) : leaf.range.map { _ in 0 }
                #expect(row[leaf.range].map(\.bitPattern) == expected.map(\.bitPattern), "\(leaf)")
            }
        }
        #expect(some.nonPrivateLosses == all.nonPrivateLosses)
        // Values of 18 numbers before the dense layers, and of 3 between them.
        let saved = frozen == ["conv1"] ? 4 * 18 : frozen == ["conv1", "dense1"] ? 4 * (18 + 3) : 0
        #expect(network.gradientBytesPerExample - part.gradientBytesPerExample == saved)
        #expect(try network.freezing(frozen, of: parameters).gradientBytesPerExample == part.gradientBytesPerExample)
    }

    @Test func aMaskOfAnotherLayoutTraps() async {
        await #expect(processExitsWith: .failure) {
            let network = try Network(.multilayerPerceptron(dims: [2, 2]))
            let other = try Network(.multilayerPerceptron(dims: [2, 3]))
            _ = network.training(only: TreeMask(layout: other.layout) { _ in true })
        }
    }

    @Test func theWholeHasTheFrozenValuesAndTheTrainedOnes() throws {
        let (network, examples, parameters) = try problem(seed: 2)
        let model = try network.freezing(["dense1", "conv1/bias"], of: parameters)
        let moved = ParameterVector(repeating: 7, layout: model.layout)
        let whole = model.whole(moved)
        for (leaf, isTrained) in zip(network.layout.leaves, model.mask.selection) {
            let before = Array(parameters.values[leaf.range])
            let expected = isTrained ? before.map { _ in 7 } : before
            #expect(Array(whole.values[leaf.range]) == expected, "\(leaf)")
        }
        // What it computes is what the network computes of the whole.
        var (workspace, own) = (network.makeWorkspace(), model.makeWorkspace())
        #expect(
            model.outputs(for: examples.inputs, at: moved, workspace: &own)
                == network.outputs(for: examples.inputs, at: whole, workspace: &workspace))
    }

    @Test func closureModelsAreFrozenToo() throws {
        let model = ClosureModel(parameters: Pair(first: 2, second: 3), featureCount: 1, outputCount: 1) {
            inputs, _, parameters, gradient in
            gradient.first = inputs[0] * parameters.second
            gradient.second = inputs[0] * parameters.first
            return inputs[0] * parameters.first * parameters.second
        }
        let frozen = try model.freezing(["first"], of: Pair(first: 5, second: 3))
        let examples = Examples(inputs: Matrix([[1], [2]]), targets: .values(Matrix([[0], [0]])))
        var workspace = frozen.makeWorkspace()
        let trained = try ParameterVector(values: [4], layout: frozen.layout)
        let gradients = frozen.gradients(of: examples, at: trained, workspace: &workspace)
        #expect(gradients.rows == [[5], [10]])
        #expect(gradients.nonPrivateLosses == [20, 40])
        #expect(frozen.whole(trained) == Pair(first: 5, second: 4))
        #expect(frozen.gradientBytesPerExample == 12)
    }

    /// Trained leaves begin from what was given, too, whether or not any other leaf is frozen.
    @Test func theReportIsToldOfGivenParametersAndFrozenLeaves() throws {
        let (network, _, parameters) = try problem(seed: 3)
        let begun = try network.freezing([], of: parameters).notCovered
        #expect(begun.count == 1 && begun[0].contains("training began from") && begun[0].contains("must be public"))
        let both = try network.freezing(["conv1"], of: parameters).notCovered
        #expect(both.count == 2 && both[0] == begun[0])
        #expect(both[1].contains("conv1/kernel, conv1/bias") && !both[1].contains("dense"))
        // A model of a model tells of the beginning once.
        let inner = try network.freezing(["conv1"], of: parameters)
        let nested = try inner.freezing(["dense1"], of: inner.initialParameters(seed: 0)).notCovered
        #expect(nested.count == 3 && nested.count { $0.contains("training began from") } == 1)
        // Control: the model's own initial parameters are given by nobody.
        #expect(try network.freezing([], ofInitialParameters: 1).notCovered.isEmpty)
    }

    @Test func whatIsFixedIsWhatIsFrozen() throws {
        let (network, _, parameters) = try problem(seed: 5)
        #expect(try network.freezing([], of: parameters).fixedParameters.isEmpty)
        let inner = try network.freezing(["conv1"], of: parameters)
        let nested = try inner.freezing(["dense1/bias"], of: inner.initialParameters(seed: 0))
        let paths: [TreePath] = nested.fixedParameters.flatMap { $0.layout.leaves.map(\.path) }
        #expect(paths == ["conv1/kernel", "conv1/bias", "dense1/bias"])
        for fixed in nested.fixedParameters {
            for leaf in fixed.layout.leaves { #expect(fixed[leaf.path] == parameters[leaf.path]) }
        }
    }

    @Test func mistakesAreNamed() throws {
        let (network, _, parameters) = try problem(seed: 4)
        let known: [TreePath] = [
            "conv1", "conv1/kernel", "conv1/bias", "dense1", "dense1/kernel", "dense1/bias", "dense2", "dense2/kernel",
            "dense2/bias",
        ]
        // One exchange of neighbours is one edit; what is far from all is told what there is.
        for (path, says) in [
            ("conv2", "did you mean 'conv1'"), ("dense1/kernal", "did you mean 'dense1/kernel'"),
            ("dnese2", "did you mean 'dense2'"), ("encoder", "'conv1', 'conv1/kernel'"),
        ] as [(TreePath, String)] {
            let error = ModelError.unknownFrozenPath(path, known: known)
            #expect(throws: error) { try network.freezing([path], of: parameters) }
            #expect("\(error)".contains("'\(path)'") && "\(error)".contains(says), "\(error)")
        }
        #expect(throws: ModelError.nothingToTrain) {
            try network.freezing(["conv1", "dense1", "dense2"], of: parameters)
        }
        let other = try Network(.multilayerPerceptron(dims: [16, 2]))
        let expected = network.layout.leaves[0]
        #expect(throws: ModelError.parametersDoNotFit(found: other.layout.leaves[0], expected: expected)) {
            try network.freezing(["conv1"], of: ParameterVector(zeros: other.layout))
        }
        var broken = parameters
        broken.withUnsafeMutableValues { $0[network.layout["dense1/bias"]!.range.lowerBound] = .infinity }
        #expect(throws: ModelError.parameterNotFinite("dense1/bias", value: .infinity)) {
            try network.freezing(["conv1"], of: broken)
        }
    }
}

private struct Pair: PyTree, Equatable {
    var first: Float
    var second: Float

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("first", &first)
        try visitor.visit("second", &second)
    }
}
