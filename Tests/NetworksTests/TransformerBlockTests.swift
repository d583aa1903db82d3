import Testing

@testable import Networks

struct TransformerBlockTests {
    @Test(arguments: [false, true]) func isWhatItsDefinitionSays(isCausal: Bool) throws {
        let check = try LayerCheck(
            .sequence(positions: 4, width: 6), [.transformerBlock(heads: 2, hiddenWidth: 5, isCausal: isCausal)],
            lengths: [4, 2, 1, 0])
        for (example, outputs) in check.outputs.enumerated() {
            let expected = try check.block(
                check.rows(example, columns: 6), "block1", heads: 2, isCausal: isCausal,
                length: try #require(check.examples.lengths)[example])
            expectEqual(outputs, expected.flatMap(\.self))
        }
        try check.expectRoundTrip()
    }

    @Test func hasTheGradientsOfDifferences() throws {
        try LayerCheck(
            .sequence(positions: 4, width: 6),
            [.transformerBlock(heads: 2, hiddenWidth: 5, isCausal: true), .sequencePooling(.last)],
            lengths: [4, 2, 1, 0]
        ).expectGradients()
    }

    @Test func whatDoesNotFitIsNamed() {
        let sequence = NetworkArchitecture.Input.sequence(positions: 4, width: 6)
        func error(_ heads: Int, _ width: Int) -> ModelError? {
            LayerCheck.error(sequence, [.transformerBlock(heads: heads, hiddenWidth: width, isCausal: true)])
        }
        #expect(error(4, 5) == .doesNotDivide(4, name: "heads", features: 6, layer: 0))
        #expect(error(2, 0) == .invalidDimension(0, name: "hidden width", layer: 0))
    }
}
