import Foundation
import GradientTransformations
import PyTrees
import Testing

/// Masks, partitions and wrappers against the same thing done by hand.
@Suite struct MaskAndPartitionTests {
    let layout = ParameterVector.smallLayout

    private func random(_ seed: UInt64) -> ParameterVector {
        var generator = SeededGenerator(seed: seed)
        return .random(using: &generator)
    }

    private func mask(_ paths: TreePath...) -> TreeMask {
        TreeMask(layout: layout) { paths.contains($0.path) }
    }

    @Test func maskedLeavesAreTransformedAloneAndOthersPass() throws {
        let x = random(1)
        let masked = try Running(Masked(adam(learningRate: 0.1), mask: mask("a", "c")), x)
        let plain = try Running(adam(learningRate: 0.1), x)
        for seed in 2..<6 {
            let gradient = random(UInt64(seed))
            let updates = masked.updated(gradient, parameters: x)
            let all = plain.updated(gradient, parameters: x)
            #expect(updates["a"] == all["a"] && updates["c"] == all["c"] && updates["b"] == gradient["b"])
        }
        #expect(masked.state.inner.first.secondMoment.count == 9)
    }

    @Test func maskedNormsAreTakenOverTheMaskOnly() throws {
        let gradient = random(1)
        let clipped = try Running(Masked(ClipByGlobalNorm(0.5), mask: mask("b")), gradient)
            .updated(gradient, parameters: gradient)
        let norm = gradient["b"].values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        for (value, original) in zip(clipped["b"].values, gradient["b"].values) {
            #expect(abs(Double(value) - 0.5 / norm * Double(original)) <= 2 * Double(original.ulp))
        }
        #expect(clipped["a"] == gradient["a"] && clipped["c"] == gradient["c"])
    }

    @Test func masksNest() throws {
        let x = random(1)
        let outer = mask("a", "c")
        let selected = Masked(Identity(), mask: outer).selectedLayout
        let inner = Masked(SetToZero(), mask: TreeMask(layout: selected) { $0.path == "c" })
        let updates = try Running(Masked(inner, mask: outer), x).updated(x, parameters: x)
        #expect(updates["a"] == x["a"] && updates["b"] == x["b"])
        #expect(updates["c"].values.allSatisfy { $0 == 0 })
    }

    @Test func wholeVectorTransformationsOfOneselfWorkUnderMasks() throws {
        let x = random(1)
        let updates = try Running(Masked(Reversal(), mask: mask("a", "c")), x).updated(x, parameters: x)
        #expect(updates["a"].values + updates["c"].values == (x["a"].values + x["c"].values).reversed())
        #expect(updates["b"] == x["b"])
    }

    @Test func frozenLeavesStay() throws {
        var x = random(1)
        let start = x
        let optimizer = try Running(
            chain {
                try adam(learningRate: 0.1)
                freeze(mask("b"))
            }, x)
        optimizer.step(random(2), parameters: &x)
        #expect(x["b"] == start["b"] && x["a"] != start["a"])
    }

    @Test func partitionFindsEverySecondMoment() throws {
        let x = random(1)
        let labels = try TreeLabels(["a": "slow", "b": "fast", "c": "slow"], layout: layout)
        let optimizer = try Running(
            partition {
                Masked(try adam(learningRate: 0.1), mask: try labels.mask("slow"))
                Masked(try adagrad(learningRate: 0.1), mask: try labels.mask("fast"))
            }, x)
        _ = optimizer.updated(random(2), parameters: x)
        #expect(optimizer.secondMoments.map { $0.layout.leaves.map(\.path) } == [["a", "c"], ["b"]])
        let mixed = try Running(
            partition {
                Masked(try sgd(learningRate: 0.1), mask: try labels.mask("slow"))
                Masked(try rmsprop(learningRate: 0.1), mask: try labels.mask("fast"))
            }, x)
        #expect(mixed.secondMoments.count == 1)
    }

    @Test func accumulationStepsWithTheMean() throws {
        let x = random(1)
        let accumulated = try Running(Accumulate(adam(learningRate: 0.1), steps: 4), x)
        let plain = try Running(adam(learningRate: 0.1), x)
        let ones = ParameterVector(repeating: 1, layout: layout)
        for round in 0..<3 {
            for part in 1...3 {
                let updates = accumulated.updated(ones.map { $0 * Float(part) }, parameters: x)
                #expect(updates.values.allSatisfy { $0 == 0 }, "round \(round), part \(part)")
            }
            let last = accumulated.updated(ones.map { $0 * 4 }, parameters: x)
            #expect(last == plain.updated(ones.map { $0 * 2.5 }, parameters: x))
        }
    }

    @Test func notFiniteGradientsAreSkippedUntilThePatienceEnds() throws {
        let x = random(1)
        let optimizer = try Running(ApplyIfFinite(adam(learningRate: 0.1), maximumErrors: 2), x)
        let bad = x.map { _ in .infinity }
        _ = optimizer.updated(x, parameters: x)
        let moments = optimizer.state.inner.first
        for _ in 0..<2 {
            #expect(optimizer.updated(bad, parameters: x).values.allSatisfy { $0 == 0 })
            #expect(optimizer.state.inner.first == moments)
        }
        #expect(optimizer.updated(bad, parameters: x).values.contains { !$0.isFinite })
        #expect(optimizer.state.totalErrors == 3)
    }

    @Test func hugeFiniteGradientsAreNotSkipped() throws {
        let x = random(1)
        let optimizer = try Running(ApplyIfFinite(Identity(), maximumErrors: 2), x)
        let huge = x.map { _ in .greatestFiniteMagnitude }
        #expect(optimizer.updated(huge, parameters: x) == huge)
        let clipped = try Running(ClipByGlobalNorm(1), x).updated(huge, parameters: x)
        let expected = 1 / Float(x.count).squareRoot()
        #expect(clipped.values.allSatisfy { abs($0 - expected) <= 2 * expected.ulp })
    }
}

extension ParameterVector {
    fileprivate var reversed: ParameterVector {
        var result = self
        result.withUnsafeMutableValues { for index in $0.indices { $0[index] = values[values.count - 1 - index] } }
        return result
    }
}

/// A transformation of one's own that needs the whole vector, written with `update` alone.
private struct Reversal: GradientTransformation {
    static var identifier: String { "reversal" }

    func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    func update(_ updates: inout ParameterVector, state: inout EmptyState, parameters: ParameterVector) {
        updates = updates.reversed
    }
}
