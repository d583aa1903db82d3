import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// **Guarantee:** under a transform of rank one, what an example adds to an exact sum is its image, of norm M at most,
/// and depends on that example alone, however the leaf is scaled on the way.
@Suite struct RankOneGridTests {
    /// Positions that Gram matrices answer for, and positions whose products are formed.
    enum Positions: Int, CaseIterable {
        case few = 2
        case many = 9
    }

    /// A kernel of 12 × 10 with positions, and an embedding whose rows an example uses once or more often.
    static func gradients(
        _ positions: Positions, usesRowsOnce: Bool = false, seed: UInt64
    ) throws -> FactoredGradients {
        var generator = SeededGenerator(seed: seed)
        let (examples, positions, tableRows) = (5, positions.rawValue, usesRowsOnce ? 20 : 4)
        func matrix(_ columns: Int) -> Matrix {
            Matrix(
                rows: examples * positions, columns: columns,
                elements: (0..<examples * positions * columns).map { _ in generator.float() })
        }
        let indices = (0..<examples * positions).map { index in
            usesRowsOnce ? index % tableRows : Int(generator.next() % UInt64(tableRows + 1)) - 1
        }
        return try FactoredGradients(
            layout: TreeLayout([("kernel", [12, 10]), ("table", [tableRows, 6])]), exampleCount: examples,
            parts: [
                .sequence(
                    kernel: "kernel", bias: nil, activations: matrix(12), outputGradients: matrix(10),
                    positions: positions),
                .embedding(table: "table", indices: indices, outputGradients: matrix(6), positions: positions),
            ])
    }

    static func rules() throws -> [ClippingRule] {
        [
            try .flat(l2ClipNorm: 0.7), try .perSubtree(l2ClipNorms: ["kernel": 0.6, "table": 0.5]),
            try .automatic(l2ClipNorm: 0.7),
        ]
    }

    private static func integers(
        _ gradients: FactoredGradients, _ transform: some PreClippingTransform
    ) throws -> [Int] {
        try RankOneTransformTests.exactSum(gradients, .flat(l2ClipNorm: 0.7), transform).integers
    }

    /// The two ways are both taken.
    @Test func gramMatricesAnswerForFewPositionsOnly() throws {
        for positions in Positions.allCases {
            let factor = try #require(try Self.gradients(positions, seed: 1).factors[0] as? SequenceFactor)
            #expect((PositionGram(factor: factor) != nil) == (positions == .few))
        }
    }

    /// Factors that are scaled where they are used give, in every bit, what their image in memory gives.
    @Test func factorsAreScaledAsTheirImage() throws {
        let gradients = try Self.gradients(.few, usesRowsOnce: true, seed: 2)
        let transform = try RankOneTransformTests.transform(gradients.layout, seed: 3)
        let image = try #require(transform.transformed(gradients))
        let identity = IdentityTransform(layout: gradients.layout)
        let expected = try Self.integers(image, identity)
        #expect(try Self.integers(gradients, transform) == expected)
        #expect(try Self.integers(gradients, identity) != expected)
    }

    /// A sum is the sum of what each example adds when it is alone.
    @Test(arguments: Positions.allCases) func examplesAddWhatTheyAddAlone(positions: Positions) throws {
        let gradients = try Self.gradients(positions, seed: 4)
        let transform = try RankOneTransformTests.transform(gradients.layout, seed: 5)
        func alone(_ transform: some PreClippingTransform) throws -> [Int] {
            try (0..<gradients.exampleCount).reduce([Int](repeating: 0, count: gradients.layout.count)) {
                zip($0, try Self.integers(RandomFactors.subset(gradients, [$1]), transform)).map { $0 + $1 }
            }
        }
        let whole = try Self.integers(gradients, transform)
        #expect(try alone(transform) == whole)
        #expect(try alone(RankOneTransformTests.transform(gradients.layout, seed: 6)) != whole)
    }

    /// The broken twin takes norms before the scale, and scales what it clipped.
    @Test(arguments: Positions.allCases) func aNeighbourMovesTheSumByAtMostM(positions: Positions) throws {
        for seed: UInt64 in 0..<4 {
            let gradients = try Self.gradients(positions, seed: seed)
            let transform = try RankOneTransformTests.transform(gradients.layout, seed: seed + 7)
            let (scale, identity) = (
                RankOneTransformTests.written(transform).values, IdentityTransform(layout: gradients.layout)
            )
            for rule in try Self.rules() {
                func sum(_ gradients: FactoredGradients, _ transform: some PreClippingTransform) throws -> ExactSum {
                    try RankOneTransformTests.exactSum(gradients, rule, transform)
                }
                let bound = Double(try sum(gradients, transform).grid.sensitivity)
                let move = try RankOneTransformTests.worstMove(
                    gradients, { try sum($0, transform).integers.map(Double.init) }, bound: bound)
                #expect(move <= 1)
                let twin = try RankOneTransformTests.worstMove(
                    gradients, { zip(try sum($0, identity).integers, scale).map { Double($0) * Double($1) } },
                    bound: bound)
                #expect(twin > 1)
            }
        }
    }
}
