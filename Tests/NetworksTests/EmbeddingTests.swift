import Datasets
import LinearAlgebra
import PyTrees
import Testing

@testable import Networks

struct EmbeddingTests {
    @Test func looksUpRowsAndAddsPositions() throws {
        let check = try LayerCheck(
            .tokens(length: 5, vocabulary: 4), [.embedding(width: 3), .positionEmbedding], lengths: [5, 3, 0])
        let (table, positions) = (try check.leaf("embedding1/table"), try check.leaf("positions1/table"))
        for (example, outputs) in check.outputs.enumerated() {
            let length = try #require(check.examples.lengths)[example]
            let ids = check.examples.inputs.row(example).enumerated().map { $0.offset < length ? Int($0.element) : -1 }
            let vectors = ids.map { $0 < 0 ? [0, 0, 0] : table[$0] }
            expectEqual(outputs, SequenceReference.sum(vectors, positions).flatMap(\.self))
        }
        try check.expectGradients()
        try check.expectRoundTrip()
    }

    @Test func beginsWithAVarianceOfOneOverTheWidth() {
        var weights = InitialWeights(seed: 1)
        let values = Embedding(vocabulary: 1000, width: 64, weights: &weights).table.values
        let variance = values.reduce(0) { $0 + Double($1) * Double($1) } / 64_000
        // The squares of 64,000 uniform numbers of variance v have a mean that is off by 0.9·v/√64000 = 0.0036·v.
        let (expected, tolerance): (Double, Double) = (1.0 / 64, 5 * 0.0036 / 64)
        #expect(abs(variance - expected) < tolerance)
    }

    @Test func whatDoesNotFitIsNamed() {
        let tokens = NetworkArchitecture.Input.tokens(length: 5, vocabulary: 4)
        let dense = NetworkArchitecture.Layer.dense(outputs: 2, activation: .relu)
        #expect(LayerCheck.error(.features(3), [.embedding(width: 2)]) == .noTokens(layer: 0))
        #expect(LayerCheck.error(tokens, [dense]) == .tokensNotEmbedded(kind: "dense", layer: 0))
        #expect(LayerCheck.error(tokens, [.layerNorm]) == .tokensNotEmbedded(kind: "layerNorm", layer: 0))
        #expect(
            LayerCheck.error(tokens, [.embedding(width: 0)]) == .invalidDimension(0, name: "width", layer: 0))
        #expect(
            LayerCheck.error(.tokens(length: 5, vocabulary: 0), [.embedding(width: 1)])
                == .invalidDimension(0, name: "vocabulary", layer: nil))
        #expect(
            LayerCheck.error(.features(3), [.positionEmbedding])
                == .noSequence(kind: "positionEmbedding", layer: 0))
    }

    @Test func idsFromOutsideAreChecked() throws {
        let network = try Network(
            NetworkArchitecture(
                input: .tokens(length: 3, vocabulary: 4),
                layers: [.embedding(width: 2), .sequencePooling(.mean), .dense(outputs: 2, activation: .identity)],
                loss: .softmaxCrossEntropy))
        func error(_ ids: [Float], length: Int = 3) -> ModelError? {
            do throws(ModelError) {
                try network.check(
                    Examples(
                        inputs: Matrix([[0, 1, 2], ids]), targets: .classes([0, 1], classCount: 2),
                        lengths: [3, length]))
                return nil
            } catch { return error }
        }
        #expect(error([3, -1, 0]) == nil)
        #expect(error([0, 4, -7]) == .tokenOutOfRange(4, vocabulary: 4, example: 1))
        #expect(error([0, 1.5, 0]) == .tokenOutOfRange(1.5, vocabulary: 4, example: 1))
        #expect(error([0, 9, .nan], length: 1) == nil)
        #expect(error([0, 1, 2], length: 4) == .lengthOutOfRange(4, positions: 3, example: 1))
        guard case .tokenOutOfRange(let id, 4, 1) = error([0, .nan, 0]) else {
            Issue.record("NaN is no token.")
            return
        }
        #expect(id.isNaN)
        #expect(throws: ModelError.tokenOutOfRange(4, vocabulary: 4, example: 0)) {
            try network.predict([[4, 0, 0]], at: network.initialParameters(seed: 1))
        }
        let frozen = try network.freezing(["dense1"], ofInitialParameters: 0)
        #expect(throws: ModelError.tokenOutOfRange(4, vocabulary: 4, example: 0)) {
            try frozen.predict([[4, 0, 0]], at: frozen.initialParameters(seed: 1))
        }
    }

    @Test func tokensWhereNumbersAreMeantTrap() async {
        await #expect(processExitsWith: .failure) {
            var weights = InitialWeights(seed: 0)
            let embedding = Embedding(vocabulary: 3, width: 2, weights: &weights)
            _ = FunctionModel(parameters: embedding, featureCount: 2) { embedding, example in
                let value = embedding.apply(to: .values(example.features), in: LayerStack()).values
                return squaredError(value, example.target)
            }
        }
    }
}
