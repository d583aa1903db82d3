import Foundation
import Testing
import _TestSupport

@testable import PrivacyMechanisms

/// Gradients of the losses against differences, and values against the strategies' own answers.
@Suite struct LossGradientTests {
    private static let goals: [StrategyGoal] = {
        let workload = try! StrategyWorkload(momentum: 0.8, retention: 0.95)
        let participations: [StrategyParticipation] = [
            .once, .separated(participations: 3, separation: 7), .separated(participations: 2, separation: 4),
            .epochs(length: 9),
        ]
        return participations.flatMap { participation in
            StrategyGoal.Objective.allCases.map {
                try! StrategyGoal(steps: 25, participation: participation, workload: workload, objective: $0)
            }
        }
    }()

    /// Whether the gradient is that of the values: differences over h err by h² and by rounding over h, which is least
    /// at 10⁻⁵ and then far below 10⁻⁶, for losses and derivatives of the order of 1.
    private static func agrees(_ value: ([Double]) -> Double, _ gradient: [Double], at x: [Double]) -> Bool {
        let h = 1e-5
        return x.indices.allSatisfy { index in
            var (up, down) = (x, x)
            up[index] += h
            down[index] -= h
            let difference = (value(up) - value(down)) / (2 * h)
            return abs(difference - gradient[index]) < 1e-6 * max(1, abs(difference))
        }
    }

    @Test(arguments: goals)
    func toeplitz(goal: StrategyGoal) throws {
        let loss = ToeplitzLoss(goal)
        let c = [1, 0.55, 0.4, 0.2]
        var gradient = [Double](repeating: 0, count: 4)
        let value = loss.value(c, gradient: &gradient)
        func values(_ c: [Double]) -> Double {
            var ignored = gradient
            return loss.value([1] + c, gradient: &ignored)
        }
        #expect(Self.agrees(values, Array(gradient.dropFirst()), at: Array(c.dropFirst())))
        #expect(!Self.agrees(values, gradient.dropFirst().map { 1.001 * $0 }, at: Array(c.dropFirst())))
        // Scaling C changes nothing.
        #expect(abs(zip(gradient, c).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-12)
        let root = goal.rootLoss(of: .bandedToeplitz(try ToeplitzStrategy(coefficients: c, steps: 25)))
        #expect(abs(exp(value / 2) / root - 1) < 1e-12)
    }

    @Test(arguments: goals, [1, 2, 3])
    func buffered(goal: StrategyGoal, buffers: Int) throws {
        var generator = SeededGenerator(seed: 3)
        let x = InterlacedDecays.start(buffers: buffers, steps: 25).map {
            $0 + Double.random(in: -0.5...0.5, using: &generator)
        }
        let loss = BufferedToeplitzLoss(goal)
        func strategy(_ x: [Double]) -> BufferedToeplitzStrategy {
            let decays = InterlacedDecays(x)
            return try! BufferedToeplitzStrategy(decays: decays.decays, weights: decays.weights, steps: 25)
        }
        let result = loss.result(strategy(x))
        let gradient = InterlacedDecays(x).gradient(
            byDecays: result.byDecays, byWeights: result.byWeights, at: x)
        #expect(Self.agrees({ loss.result(strategy($0)).value }, gradient, at: x))
        let root = goal.rootLoss(of: .blt(strategy(x)))
        #expect(abs(exp(result.value / 2) / root - 1) < 1e-12)
        // Whatever x is, the decays of C⁻¹ are those that the weights were made for.
        let others = stride(from: 1, to: 2 * buffers, by: 2).map { 1 - InterlacedDecays(x).gaps[$0] }
        #expect(zip(strategy(x).inverse.decays, others).allSatisfy { abs($0 - $1) < 1e-10 })
    }

    @Test func startsAreGeometric() {
        for (buffers, steps) in [(1, 1), (1, 100), (3, 1000)] {
            let gaps = InterlacedDecays(InterlacedDecays.start(buffers: buffers, steps: steps)).gaps
            #expect(abs(gaps[0] / min(0.1, 5 / Double(steps)) - 1) < 1e-12 && abs(gaps.last! - 0.25) < 1e-12)
            let ratios = zip(gaps.dropFirst(), gaps).map { $0 / $1 }
            #expect(ratios.allSatisfy { abs($0 / ratios[0] - 1) < 1e-12 })
        }
    }
}
