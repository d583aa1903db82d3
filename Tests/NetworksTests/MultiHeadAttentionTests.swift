import Testing

@testable import Networks

struct MultiHeadAttentionTests {
    @Test(arguments: [false, true]) func isWhatItsDefinitionSays(isCausal: Bool) throws {
        let check = try LayerCheck(
            .sequence(positions: 4, width: 6), [.attention(heads: 2, isCausal: isCausal)], lengths: [4, 2, 1, 0])
        for (example, outputs) in check.outputs.enumerated() {
            let expected = try check.attention(
                check.rows(example, columns: 6), "attention1", heads: 2, isCausal: isCausal,
                length: try #require(check.examples.lengths)[example])
            expectEqual(outputs, expected.flatMap(\.self))
        }
        try check.expectRoundTrip()
    }

    @Test(arguments: [false, true]) func hasTheGradientsOfDifferences(isCausal: Bool) throws {
        try LayerCheck(
            .sequence(positions: 4, width: 6), [.attention(heads: 3, isCausal: isCausal), .sequencePooling(.mean)],
            lengths: [4, 2, 1, 0]
        ).expectGradients()
    }

    @Test func keysHaveNoBias() throws {
        let network = try LayerCheck(.sequence(positions: 2, width: 2), [.attention(heads: 1, isCausal: false)]).network
        #expect(
            network.layout.leaves.map { "\($0.path)" } == [
                "attention1/query/kernel", "attention1/query/bias", "attention1/key/kernel", "attention1/value/kernel",
                "attention1/value/bias", "attention1/output/kernel", "attention1/output/bias",
            ])
    }

    @Test func whatDoesNotFitIsNamed() {
        let sequence = NetworkArchitecture.Input.sequence(positions: 4, width: 6)
        let layer = NetworkArchitecture.Layer.attention(heads: 4, isCausal: true)
        #expect(
            LayerCheck.error(sequence, [layer]) == .doesNotDivide(4, name: "heads", features: 6, layer: 0))
        #expect(
            LayerCheck.error(sequence, [.attention(heads: 0, isCausal: true)])
                == .invalidDimension(0, name: "number of heads", layer: 0))
        #expect(LayerCheck.error(.features(4), [layer]) == .noSequence(kind: "attention", layer: 0))
        #expect(
            LayerCheck.error(.tokens(length: 4, vocabulary: 3), [layer])
                == .tokensNotEmbedded(kind: "attention", layer: 0))
    }
}
