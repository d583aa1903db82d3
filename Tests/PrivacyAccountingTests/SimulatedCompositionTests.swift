import Foundation
import Testing

@testable import PrivacyAccounting

/// The accountant against simulated runs of T steps of a Gaussian mechanism on Poisson batches.
///
/// P is one step with the example in question, x ~ (1 − q)·N(0, z²) + q·N(1, z²), Q one without it, x ~ N(0, z²). The
/// loss of a step is ±log(1 − q + q·e^{(2x − 1)/(2z²)}), drawn under P for removing the example and, with the sign
/// turned, under Q for adding it; losses of steps add; and δ(ε) = E[(1 − e^{ε − L})₊].
@Suite struct SimulatedCompositionTests {
    struct Setting: CustomTestStringConvertible, Sendable {
        var (z, q, steps): (Double, Double, Int)
        var epsilons: [Double]

        var testDescription: String { "z = \(z), q = \(q), T = \(steps)" }
    }

    /// An interval that misses the expectation of values in [0, 1] with a probability of at most 10⁻⁶.
    ///
    /// By the empirical Bernstein bound (Maurer and Pontil, arXiv 0907.3740, theorem 4, for each side with x =
    /// ln(4·10⁶) in place of their ln(2/δ)), the mean of n independent values of empirical variance v is off by more
    /// than √(2vx/n) + 7x/(3(n − 1)) with a probability of at most 2·2e^{−x} = 10⁻⁶. It holds for every n.
    private struct Estimate {
        var (sum, squares, count) = (0.0, 0.0, 0.0)

        mutating func add(_ value: Double) {
            sum += value
            squares += value * value
            count += 1
        }

        var interval: ClosedRange<Double> {
            let mean = sum / count
            let variance = (squares - sum * mean) / (count - 1)
            let x = log(4e6)
            let error = (2 * variance * x / count).squareRoot() + 7 * x / (3 * (count - 1))
            return mean - error...mean + error
        }
    }

    private enum Direction: CaseIterable {
        case removing, adding
    }

    /// δ at each of the setting's ε, in one direction, from 10⁵ runs.
    private static func simulate(_ setting: Setting, _ direction: Direction, seed: UInt64) -> [Estimate] {
        let (z, q) = (setting.z, setting.q)
        var random = SeededGenerator(seed: seed)
        var estimates = setting.epsilons.map { _ in Estimate() }
        for _ in 0..<100_000 {
            var loss = 0.0
            for _ in 0..<setting.steps {
                let isSampled = direction == .removing && Double.random(in: 0..<1, using: &random) < q
                let x = z * random.normal() + (isSampled ? 1 : 0)
                let step = log1p(q * expm1((2 * x - 1) / (2 * z * z)))
                loss += direction == .removing ? step : -step
            }
            for (index, epsilon) in setting.epsilons.enumerated() {
                estimates[index].add(max(0, -expm1(epsilon - loss)))
            }
        }
        return estimates
    }

    private static let settings = [
        Setting(z: 1, q: 0.1, steps: 1, epsilons: [0.05, 0.3]),
        Setting(z: 0.7, q: 0.3, steps: 1, epsilons: [0.2, 1]),
        Setting(z: 1, q: 0.2, steps: 5, epsilons: [0.2, 0.8]),
        Setting(z: 1, q: 0.1, steps: 20, epsilons: [0.3, 0.6, 1.2]),
        Setting(z: 2, q: 0.5, steps: 20, epsilons: [0.5, 1.5]),
    ]

    /// The bracket is of the worse of both directions: it meets the interval of the one with the larger estimate, and
    /// lies not below the other's.
    @Test(arguments: settings)
    func simulationMeetsTheBracket(setting: Setting) throws {
        let removing = Self.simulate(setting, .removing, seed: 42)
        let adding = Self.simulate(setting, .adding, seed: 43)
        func event(_ q: Double) throws -> PrivacyEvent {
            try .dpSGD(noiseMultiplier: setting.z, samplingProbability: q, iterations: setting.steps)
        }
        let accountant = PrivacyLossDistributionAccountant()
        for (index, epsilon) in setting.epsilons.enumerated() {
            let intervals = [removing[index].interval, adding[index].interval]
            func isMet(by bounds: PrivacyBounds) -> Bool {
                let upper = intervals.map(\.upperBound).max()!
                return bounds.lower <= upper && intervals.allSatisfy { $0.lowerBound <= bounds.upper }
            }
            let bounds = try accountant.deltaBounds(of: event(setting.q), epsilon: epsilon)
            #expect(isMet(by: bounds), "\(intervals) against \(bounds)")
            // Controls: half and twice the probability.
            for wrong in [setting.q / 2, min(1, 2 * setting.q)] {
                let other = try accountant.deltaBounds(of: event(wrong), epsilon: epsilon)
                #expect(!isMet(by: other), "\(intervals) against \(other) of q = \(wrong)")
            }
        }
    }
}
