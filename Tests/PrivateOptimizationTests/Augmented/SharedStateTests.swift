import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateOptimization

/// **Guarantee:** ranks that keep a share of an optimizer's state each take the steps of one rank, in every bit, and
/// what they keep is together the state of one rank.
@Suite(.serialized) struct SharedStateTests {
    /// Five chunks of noise, the last of them cut, so that shares differ and leaves lie in two of them.
    private static let layout: TreeLayout = {
        do { return try TreeLayout([("dense/kernel", [90, 100]), ("dense/bias", [100]), ("head", [7900])]) } catch {
            preconditionFailure("\(error)")
        }
    }()

    private struct Outcome: Equatable, Sendable {
        var parameters: [UInt32]
        /// The whole state, as checkpoints would have it.
        var state: Data
        /// How many numbers of the state this rank kept.
        var kept: Int
    }

    /// Five steps on gradients that differ from step to step and from rank to rank.
    private static func steps<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, ranks: Ranks?, isShared: Bool = true
    ) throws -> Outcome {
        var parameters = ParameterVector(repeating: 0.5, layout: layout)
        var workspace = isShared ? StepWorkspace(ranks: ranks, sharingStateOf: optimizer) : StepWorkspace(ranks: ranks)
        var state = workspace.kept(of: try optimizer.initialState(for: parameters), in: layout)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 3)
        let clipping = try ClippingRule.flat(l2ClipNorm: 1, normalizeBy: 6)
        for step in 0..<5 {
            try optimizer.privateStep(
                state: &state, parameters: &parameters, clipping: clipping, noiseMultiplier: 0.1, noise: &noise,
                workspace: &workspace
            ) { parameters, batch in
                for example in 0..<6 where ranks.map({ example % $0.count == $0.rank }) ?? true {
                    let values = parameters.values.enumerated().map { column, value in
                        value * Float((column * 7 + example * 5 + step * 3) % 11 - 5) / 100
                    }
                    batch.add(
                        try DenseRows(Matrix(rows: 1, columns: layout.count, elements: values), layout: layout))
                }
            }
        }
        var kept = 0
        if var shared = state as? any ElementwiseState { shared.changeVectors { kept += $0.count } }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Outcome(
            parameters: parameters.values.map(\.bitPattern),
            state: try encoder.encode(workspace.whole(of: state, in: layout)), kept: kept)
    }

    private static func expectEqualSteps(
        _ optimizer: some AugmentedGradientTransformation, isShared: Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let alone = try steps(optimizer, ranks: nil)
        for count in [2, 3] {
            let together = LocalRanks.run(count) { try steps(optimizer, ranks: $0) }
            for outcome in together {
                #expect(outcome.parameters == alone.parameters, sourceLocation: sourceLocation)
                #expect(outcome.state == alone.state, sourceLocation: sourceLocation)
            }
            let kept = together.reduce(0) { $0 + $1.kept }
            #expect(kept == (isShared ? 1 : count) * alone.kept, sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: NamedOptimizer.table.map(\.name)) func ranksTakeTheStepsOfOne(name: String) throws {
        let named = try #require(NamedOptimizer.table.first { $0.name == name })
        func expect(_ optimizer: some GradientTransformation) throws {
            try Self.expectEqualSteps(
                IdentityAugmented(optimizer), isShared: !["lamb", "adafactor"].contains(name))
        }
        try expect(named.optimizer(rate: .constant(named.testRate)))
    }

    @Test func filtersAndMeansOfStepsAreShared() throws {
        try Self.expectEqualSteps(
            IdentityAugmented(
                chain {
                    try LowPassFilter(b: [0.4, 0.2, 0.1], a: [-0.3])
                    try ScaleByAdamBC(noiseStandardDeviation: 1e-3)
                    try Scale(-0.01)
                }), isShared: true)
        try Self.expectEqualSteps(
            IdentityAugmented(
                Accumulate(
                    chain {
                        try KalmanFilter()
                        try adam(learningRate: 0.01)
                    }, steps: 2)), isShared: true)
    }

    /// A decay of some leaves needs no state, and is shared; a state of some leaves is not.
    @Test func masks() throws {
        let mask = TreeMask(layout: Self.layout) { $0.shape.count == 2 }
        try Self.expectEqualSteps(
            IdentityAugmented(
                chain {
                    try ScaleByAdam()
                    try AddDecayedWeights(0.1, mask: mask)
                    try Scale(-0.01)
                }), isShared: true)
        #expect(!IdentityAugmented(Masked(try adam(learningRate: 0.01), mask: mask)).isDivisible)
        try Self.expectEqualSteps(
            IdentityAugmented(Masked(try adam(learningRate: 0.01), mask: mask)), isShared: false)
    }

    /// What is element-wise by its own word: a rate for each column, and one that is looked up by the leaf.
    private struct OwnRates: ElementwiseTransformation {
        static var identifier: String { "own_rates" }

        struct Operation: UpdateOperation {
            let rate: Float

            func apply(to block: UpdateBlock) {
                for index in 0..<block.count {
                    block.updates[index] *= rate * Float((block.offset + index) % 100) / 100
                }
            }
        }

        func initialState(for parameters: ParameterVector) -> FirstMomentState {
            FirstMomentState(zeros: parameters.layout)
        }

        func withOperation(state: inout FirstMomentState, layout: TreeLayout, _ body: (Operation) -> Void) {
            let isKnown = layout.leaves.contains { $0.path.description == "dense/bias" }
            body(Operation(rate: isKnown ? -0.1 : -1))
        }
    }

    /// It sees the whole layout, and all columns, on every rank.
    @Test func transformationsFromOutsideAreNotDivided() throws {
        #expect(OwnRates.isElementwise)
        try Self.expectEqualSteps(IdentityAugmented(OwnRates()), isShared: false)
    }

    @Test func statesOfOtherLayoutsTrap() async throws {
        await #expect(processExitsWith: .failure) {
            _ = LocalRanks.run(2) { ranks in
                let optimizer = IdentityAugmented(try sgd(learningRate: 0.1, momentum: 0.9))
                let workspace = StepWorkspace(ranks: ranks, sharingStateOf: optimizer)
                let short = try ParameterVector(zeros: TreeLayout([("w", [3])]))
                _ = workspace.kept(of: try optimizer.initialState(for: short), in: Self.layout)
            }
        }
    }

    /// A scale is needed whole by every rank, and with it the second moment that it is made from.
    @Test func scalesAreNotShared() throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.01))
        let alone = try Self.steps(optimizer, ranks: nil)
        for outcome in LocalRanks.run(2, { try Self.steps(optimizer, ranks: $0) }) {
            #expect(outcome.parameters == alone.parameters && outcome.state == alone.state)
        }
    }

    /// A loop of one's own keeps the whole state on every rank.
    @Test func statesThatAreNotSharedAreWhole() throws {
        let optimizer = IdentityAugmented(try adam(learningRate: 0.01))
        let alone = try Self.steps(optimizer, ranks: nil)
        let together = LocalRanks.run(2) { try Self.steps(optimizer, ranks: $0, isShared: false) }
        #expect(together == [alone, alone])
    }

    /// The twin: a checkpoint that holds rank 0's share alone.
    @Test func aShareAloneIsNotTheState() throws {
        let optimizer = IdentityAugmented(try adam(learningRate: 0.01))
        let shares = LocalRanks.run(2) { ranks in
            var moments = ParameterVector(repeating: 2, layout: Self.layout)
            let part = UpdatePart(ranks.share(ofColumns: Self.layout.count))
            moments = part.placed(part.taken(from: moments), in: Self.layout)
            let own = moments
            moments.gather(from: ranks)
            return (own: own.values, whole: moments.values)
        }
        for share in shares {
            #expect(share.whole.allSatisfy { $0 == 2 })
            #expect(share.own.contains(0) && share.own.contains(2))
        }
        #expect(optimizer.isDivisible)
    }

    @Test func gradientsOfSharesAreNotRead() async {
        await #expect(processExitsWith: .failure) {
            _ = LocalRanks.run(2) { ranks in
                let aggregate = try ClippedAggregate(
                    ClippingRule.flat(l2ClipNorm: 1), transform: IdentityTransform(layout: Self.layout),
                    noise: .discreteGaussian, noiseMultiplier: 1, workspace: nil, ranks: ranks, isGathered: false)
                var noise = Noise(.discreteGaussian)
                return try aggregate.noised(noise: &noise).vector.values[0]
            }
        }
    }
}
