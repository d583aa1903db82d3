import Datasets
import Foundation
import LinearAlgebra
import PyTrees
import Testing

@testable import Networks
@testable import PrivacyMechanisms

/// A causal transformer whose head is its embedding, under the next-token loss.
struct TiedHeadTests {
    static let architecture = try! NetworkArchitecture(
        specification: "transformer:layers=1,width=4,heads=2,head=tied", featureCount: 5, outputCount: 0, vocabulary: 6)

    private static func check(lengths: [Int]? = [5, 3, 2, 1, 0, 5]) throws -> LayerCheck {
        try LayerCheck(architecture.input, architecture.layers, loss: .nextToken, lengths: lengths)
    }

    @Test func isWhatItsDefinitionSays() throws {
        let check = try Self.check(lengths: [5, 3, 2])
        let (table, positions) = (try check.leaf("embedding1/table"), try check.leaf("positions1/table"))
        for (example, outputs) in check.outputs.enumerated() {
            let length = try #require(check.examples.lengths)[example]
            let ids = check.examples.inputs.row(example).prefix(length).map(Int.init)
            // The reference knows padding at the end alone.
            if ids.contains(-1) { continue }
            let vectors = (0..<5).map { $0 < length ? table[ids[$0]] : [0, 0, 0, 0] }
            let hidden = try check.norm(
                try check.block(
                    SequenceReference.sum(vectors, positions), "block1", heads: 2, isCausal: true, length: length),
                "norm1")
            let scores = hidden.map { (h: [Double]) -> [Double] in
                table.map { (e: [Double]) -> Double in zip(h, e).reduce(0) { $0 + $1.0 * $1.1 } }
            }
            expectEqual(outputs, scores.flatMap(\.self))
            let terms = (0..<length - 1).map { (t: Int) -> Double in
                let sum: Double = scores[t].reduce(0) { $0 + exp($1) }
                return log(sum) - scores[t][ids[t + 1]]
            }
            let loss = check.network.model.program.lossesAndRows(
                of: check.inputs.inDouble, at: check.parameters.values.map(Double.init)
            ).losses[example]
            expectEqual([loss], [terms.reduce(0, +) / Double(length - 1)])
        }
    }

    @Test func hasTheGradientsOfDifferences() throws {
        let check = try Self.check()
        try check.expectGradients(elementsPerLeaf: 16)
        try check.expectRoundTrip()
    }

    /// Norms and sums of the joined factors are those of the rows that they stand for.
    @Test func itsTwoUsesAreJoined() throws {
        let check = try Self.check()
        var workspace = check.network.makeWorkspace()
        let gradients = check.network.gradients(of: check.examples, at: check.parameters, workspace: &workspace)
        let table = try #require(check.network.layout["embedding1/table"])
        let place = try #require(check.network.layout.index(of: table.path))
        guard case .joined(_, let uses) = gradients.parts[place] else {
            Issue.record("The table's uses are not joined.")
            return
        }
        #expect(uses.count == 2)
        var norms = [Double](repeating: 0, count: check.examples.count)
        var span = norms.mutableSpan
        gradients.squaredNorms(
            of: 0..<check.examples.count, under: nil, groups: ColumnGroups(ranges: [0..<check.network.layout.count]),
            into: &span)
        for (norm, row) in zip(norms, gradients.rows) {
            let exact = row.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(norm >= exact * (1 - 0x1p-22) && norm <= exact * (1 + 0x1p-7))
        }
    }

    /// Scores up to a position do not change by a bit with what follows, and no more does an example with the batch.
    @Test func laterTokensHaveNoInfluence() throws {
        let network = try Network(Self.architecture)
        let parameters = network.initialParameters(seed: 3)
        var workspace = network.makeWorkspace()
        let sequences: [[Float]] = [[1, 2, 3, 4, 5], [1, 2, 3, 0, 0], [1, 2, 3, -1, 2], [1, 2, 3, 5, 4]]
        let outputs = network.outputs(for: Matrix(sequences), at: parameters, workspace: &workspace)
        let first = (0..<4).map { outputs.row($0)[..<18].map(\.bitPattern) }
        #expect(first.allSatisfy { $0 == first[0] })
        let alone = network.outputs(for: Matrix([sequences[3]]), at: parameters, workspace: &workspace)
        #expect(alone.row(0).map(\.bitPattern) == outputs.row(3).map(\.bitPattern))
        #expect(outputs.row(0)[18..<24] != outputs.row(3)[18..<24])
    }

    @Test func beginsNearTheLogarithmOfTheVocabulary() throws {
        let network = try Network(
            NetworkArchitecture(
                specification: "transformer:head=tied", featureCount: 8, outputCount: 0, vocabulary: 50))
        var generator = SeededGenerator(seed: 5)
        var workspace = network.makeWorkspace()
        let losses = network.outputsAndLosses(
            of: generator.examples(64, for: network), at: network.initialParameters(seed: 0), workspace: &workspace
        ).losses
        // Scores of variance 1 cost half a nat more than the logarithm, and random tokens are predicted no better.
        let mean = losses.reduce(0, +) / 64
        #expect(mean > log(50) && mean < log(50) + 1)
    }

    @Test func predictsTheLikeliestNextToken() throws {
        let network = try Network(
            NetworkArchitecture(
                input: .tokens(length: 2, vocabulary: 3), layers: [.embedding(width: 3), .tiedHead], loss: .nextToken))
        let scores = Matrix([[0, 2, 1, 3, 3, 0]])
        #expect(network.predictions(from: scores) == .values(Matrix([[1, 0]])))
        #expect(try network.predict([[0, 1]], at: network.initialParameters(seed: 1)).outputCount == 2)
        #expect(throws: ModelError.targetKindMismatch(loss: .nextToken)) {
            try network.check(
                Examples(inputs: Matrix([[0, 1]]), targets: .values(Matrix(rows: 1, columns: 1))))
        }
        let fitting: [Targets] = [
            .values(Matrix(rows: 1, columns: 0)), .values(Matrix([[1, -1]])), .classes([7], classCount: 9),
        ]
        for targets in fitting {
            #expect(throws: Never.self) { try network.check(Examples(inputs: Matrix([[0, 1]]), targets: targets)) }
        }
    }

    @Test func whatDoesNotFitIsNamed() {
        let tokens = NetworkArchitecture.Input.tokens(length: 5, vocabulary: 4)
        let dense = NetworkArchitecture.Layer.dense(outputs: 4, activation: .identity)
        #expect(LayerCheck.error(.features(3), [dense, .tiedHead]) == .noEmbedding(layer: 1))
        #expect(
            LayerCheck.error(tokens, [.embedding(width: 3), dense, .tiedHead])
                == .tiedWidthMismatch(features: 4, embedding: 3, layer: 2))
        #expect(LayerCheck.error(.features(3), [dense], loss: .nextToken) == .nextTokenNeedsTokens)
        #expect(
            LayerCheck.error(tokens, [.embedding(width: 3), .sequencePooling(.last), .tiedHead], loss: .nextToken)
                == .nextTokenNeedsScores(outputs: [4], positions: 5, vocabulary: 4))
        #expect(LayerCheck.error(tokens, [.embedding(width: 3), dense], loss: .nextToken) == nil)
        for layer in [
            NetworkArchitecture.Layer.attention(heads: 1, isCausal: false),
            .transformerBlock(heads: 1, hiddenWidth: 2, isCausal: false),
        ] {
            guard
                case .nextTokenIsSeen(_, layer: 1) = LayerCheck.error(
                    tokens, [.embedding(width: 3), layer, .tiedHead], loss: .nextToken)
            else {
                Issue.record("A layer that sees the next token was allowed.")
                continue
            }
        }
    }

    @Test func aHeadWithoutAnEmbeddingTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = FunctionModel(parameters: LayerStack(), featureCount: 2) { stack, example in
                squaredError(TiedHead().apply(to: .values(example.features), in: stack).values, example.target)
            }
        }
    }
}
