import Datasets
import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing
import _TestSupport

@testable import Networks

@Suite struct FunctionModelTests {
    /// A struct of the user's own: two dense maps that share a kernel, and a gain that may be left unused.
    struct Own: PyTree, Sendable {
        var first: Tensor
        var shared: Tensor
        var gain: Tensor

        mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
            try visitor.visit("first", &first)
            try visitor.visit("shared", &shared)
            try visitor.visit("gain", &gain)
        }
    }

    static func own(seed: UInt64 = 1) -> Own {
        var weights = InitialWeights(seed: seed)
        return Own(
            first: weights.kernel(inputs: 4, outputs: 3), shared: weights.kernel(inputs: 3, outputs: 3),
            gain: weights.uniform(shape: [3], bound: 1))
    }

    static func model(usesGain: Bool = true) -> FunctionModel<Own> {
        FunctionModel(parameters: own(), featureCount: 4) { model, example in
            var h = example.features.dense(kernel: model.first, activation: .tanh)
            for _ in 0..<2 { h = h.dense(kernel: model.shared, activation: .tanh) }
            return softmaxCrossEntropy(usesGain ? h * model.gain : h, example.label)
        }
    }

    static func examples(_ count: Int) -> Examples {
        var generator = SeededGenerator(seed: 5)
        return Examples(
            inputs: Matrix(rows: count, columns: 4, elements: generator.floats(count * 4)),
            targets: .classes((0..<count).map { $0 % 3 }, classCount: 3))
    }

    @Test func gradientsAreThoseOfDifferences() {
        let check = Self.model().checkGradients(of: Self.examples(5), at: Self.own(), elementsPerLeaf: nil)
        #expect(check.passes && check.comparedCount == 5 * 24, "\(check)")
    }

    /// Control: without one of the uses of the shared kernel, the gradient is another.
    @Test func everyUseOfAParameterCounts() throws {
        let (model, examples) = (Self.model(), Self.examples(3))
        var workspace = model.makeWorkspace()
        let gradients = model.gradients(of: examples, at: Self.own(), workspace: &workspace)
        guard case .joined(let leaf, let uses) = gradients.parts[1] else {
            Issue.record("Two uses of a kernel are no joined part.")
            return
        }
        #expect(leaf == "shared" && uses.count == 2)
        var parts = gradients.parts
        parts[1] = uses[0]
        let broken = try FactoredGradients(layout: model.layout, exampleCount: 3, parts: parts)
        #expect(zip(broken.rows.joined(), gradients.rows.joined()).contains { abs($0 - $1) > 1e-3 })
    }

    @Test func whatIsNotUsedIsSaid() {
        let model = Self.model(usesGain: false)
        #expect(model.unusedLeaves == ["gain"] && Self.model().unusedLeaves.isEmpty)
        var workspace = model.makeWorkspace()
        let gradients = model.gradients(of: Self.examples(2), at: Self.own(), workspace: &workspace)
        #expect(gradients.rows.allSatisfy { $0[21...].allSatisfy { $0 == 0 } && $0[..<21].contains { $0 != 0 } })
    }

    @Test func outputsAndLossesAgreeWithTheGradientsOwn() {
        let (model, examples) = (Self.model(), Self.examples(6))
        var workspace = model.makeWorkspace()
        let losses = model.gradients(of: examples, at: Self.own(), workspace: &workspace).nonPrivateLosses
        let evaluated = model.outputsAndLosses(of: examples, at: Self.own(), workspace: &workspace)
        #expect(evaluated.losses == losses)
        #expect(evaluated.outputs == model.outputs(for: examples.inputs, at: Self.own(), workspace: &workspace))
        #expect(model.outputCount == 3 && model.featureCount == 4)
    }

    /// Labels of positions: those that are negative are ignored, and classes that there are not are named.
    @Test func positionsHaveLabelsOfTheirOwn() throws {
        let model = FunctionModel(parameters: Self.own(), featureCount: 8, targetCount: 2) { model, example in
            softmaxCrossEntropy(example.sequence(positions: 2).dense(kernel: model.first), example.labels)
        }
        func examples(_ labels: [Float]) -> Examples {
            Examples(
                inputs: Matrix(rows: 1, columns: 8, elements: [1, 2, 3, 4, 5, 6, 7, 8]),
                targets: .values(Matrix(rows: 1, columns: labels.count, elements: labels)))
        }
        try model.check(examples([2, -1]))
        #expect(throws: ModelError.labelOutOfRange(3, classCount: 3, example: 0)) { try model.check(examples([0, 3])) }
        #expect(throws: ModelError.labelOutOfRange(0.5, classCount: 3, example: 0)) {
            try model.check(examples([0.5, 1]))
        }
        #expect(throws: ModelError.labelCountMismatch(labels: 3, positions: 2)) {
            try model.check(examples([0, 1, 2]))
        }
        #expect(throws: ModelError.targetKindMismatch(loss: .softmaxCrossEntropy)) {
            try Network(.softmaxRegression(features: 8, classes: 3)).check(examples([0, 1]))
        }
        var workspace = model.makeWorkspace()
        let parameters = Self.own()
        let (outputs, losses) = model.outputsAndLosses(of: examples([2, -1]), at: parameters, workspace: &workspace)
        guard case .values(let predicted) = model.predictions(from: outputs) else {
            Issue.record("Positions are predicted as numbers.")
            return
        }
        #expect(predicted.columns == 2 && predicted[0, 0] < 3 && predicted[0, 1] < 3)
        // One position counts: the loss is that of its scores alone.
        let scores = (0..<3).map { Double(outputs[0, $0]) }
        let expected = log(scores.reduce(0) { $0 + exp($1) }) - scores[2]
        #expect(abs(Double(losses[0]) - expected) < 1e-5)
    }

    @Test func parametersOfAnotherLayoutTrap() async {
        await #expect(processExitsWith: .failure) {
            let model = Self.model()
            var workspace = model.makeWorkspace()
            var other = Self.own()
            other.gain = Tensor([1, 2])
            _ = model.gradients(of: Self.examples(1), at: other, workspace: &workspace)
        }
    }

    @Test func valuesOfParametersCannotBeReadInsideOfAFunction() async {
        await #expect(processExitsWith: .failure) {
            _ = FunctionModel(parameters: Self.own(), featureCount: 4) { model, example in
                let scale = model.gain.values[0]
                return softmaxCrossEntropy(scale * example.features.dense(kernel: model.first), example.label)
            }
        }
    }

    struct ScalarLeaf: PyTree, Sendable {
        var slope: Float = 1

        mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
            try visitor.visit("slope", &slope)
        }
    }

    @Test func aLeafThatIsNoTensorTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = FunctionModel(parameters: ScalarLeaf(), featureCount: 1) { _, example in
                squaredError(example.features, example.target)
            }
        }
    }
}
