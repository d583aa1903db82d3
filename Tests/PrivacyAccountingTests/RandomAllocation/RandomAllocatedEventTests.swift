import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct RandomAllocatedEventTests {
    private static func bounds(
        _ steps: Int, _ participations: Int = 1, probability: Double = 1, z: Double, count: Int = 1,
        _ relation: NeighboringRelation = .addOrRemoveOne
    ) throws -> PrivacyBounds {
        let event = try PrivacyEvent.randomAllocated(
            steps: steps, participations: participations, probability: probability, noiseMultiplier: z)
        return try PrivacyLossDistributionAccountant(relation: relation).epsilonBounds(
            of: .selfComposed(event, count: count), delta: 1e-5)
    }

    private static func gaussians(_ count: Int, z: Double, _ relation: NeighboringRelation = .addOrRemoveOne) throws
        -> Double
    {
        try PrivacyLossDistributionAccountant(relation: relation).epsilon(
            of: .selfComposed(.gaussian(noiseMultiplier: z), count: count), delta: 1e-5)
    }

    /// A run that is simulated: which steps hold the record, and the likelihood ratio of outcomes.
    private struct Simulation {
        var (steps, participations, probability, z): (Int, Int, Double, Double)
        /// How many of the first steps are taken a second time, with the same record under other noise.
        var repeated = 0

        /// δ(ε) in both directions, as means of `count` values in [0, 1], and how far the truth can be from them: by
        /// the empirical Bernstein bound (arXiv 0907.3740), for 10⁻⁶ of false alarm.
        func delta(_ epsilon: Double, count: Int, seed: UInt64) -> [ClosedRange<Double>] {
            var random = SeededGenerator(seed: seed)
            return [true, false].map { isRemoved in
                var (sum, squares) = (0.0, 0.0)
                for _ in 0..<count {
                    var chosen = [Int]()
                    if isRemoved, Double.random(in: 0..<1, using: &random) < probability {
                        chosen = Array((0..<steps).shuffled(using: &random).prefix(participations))
                    }
                    let ratios = (0..<steps).map { step in
                        (0..<(step < repeated ? 2 : 1)).reduce(1.0) { ratio, _ in
                            let y = z * random.normal() + (chosen.contains(step) ? 1 : 0)
                            return ratio * exp((2 * y - 1) / (2 * z * z))
                        }
                    }
                    let ratio = 1 - probability + probability * symmetricMean(ratios)
                    let loss = (isRemoved ? 1 : -1) * log(ratio)
                    let value = max(0, -expm1(epsilon - loss))
                    sum += value
                    squares += value * value
                }
                let n = Double(count)
                let (mean, x) = (sum / n, log(4e6))
                let error = (2 * max(0, squares - sum * mean) / (n - 1) * x / n).squareRoot() + 7 * x / (3 * (n - 1))
                return mean - error...mean + error
            }
        }

        /// The mean over sets of k steps of the product of their ratios.
        private func symmetricMean(_ ratios: [Double]) -> Double {
            var sums = [1.0] + [Double](repeating: 0, count: participations)
            for ratio in ratios {
                for k in stride(from: participations, through: 1, by: -1) { sums[k] += sums[k - 1] * ratio }
            }
            return sums[participations] / exp(logBinomial(Double(steps), Double(participations)))
        }
    }

    /// The accountant's ends against 8,000 simulated runs of each kind, and a broken twin: participations of half the
    /// probability, or of half the number, are told.
    @Test(
        arguments: [
            (12, 1, 1.0, 0.8, 1.0), (12, 1, 0.5, 0.7, 0.7), (6, 3, 1, 1.5, 1.0), (7, 2, 1, 1, 1.5),
        ] as [(Int, Int, Double, Double, Double)])
    func endsHoldTheTruth(steps: Int, participations: Int, probability: Double, z: Double, epsilon: Double) throws {
        let truth = Simulation(steps: steps, participations: participations, probability: probability, z: z)
            .delta(epsilon, count: 8_000, seed: 4)
        func holds(_ participations: Int, _ probability: Double) throws -> Bool {
            let bounds = try PrivacyLossDistributionAccountant().deltaBounds(
                of: .randomAllocated(
                    steps: steps, participations: participations, probability: probability, noiseMultiplier: z),
                epsilon: epsilon)
            return truth.allSatisfy { bounds.upper >= $0.lowerBound }
                && truth.contains { bounds.lower <= $0.upperBound }
        }
        #expect(try holds(participations, probability))
        #expect(try !holds(participations / 2, probability / 2))
    }

    /// **Guarantee** of `BatchRepetition`: a step that is taken twice with the same batch costs no more than another
    /// query. The broken twin does not count it.
    @Test func aRepeatedStepCostsOneMoreQuery() throws {
        let truth = Simulation(steps: 2, participations: 1, probability: 1, z: 1, repeated: 1)
            .delta(1, count: 20_000, seed: 5)
        let event = try PrivacyEvent.randomAllocated(steps: 2, participations: 1, noiseMultiplier: 1)
        func holds(_ queries: [PrivacyEvent]) throws -> Bool {
            let delta = try PrivacyLossDistributionAccountant().delta(of: .composed([event] + queries), epsilon: 1)
            return truth.allSatisfy { delta >= $0.lowerBound }
        }
        #expect(try holds([.gaussian(noiseMultiplier: 1)]))
        #expect(try !holds([]))
    }

    @Test func epsilonFallsWithStepsAndIsBelowTheParticipations() throws {
        var last = try Self.gaussians(1, z: 1)
        for steps in [2, 5, 30] {
            let bounds = try Self.bounds(steps, z: 1)
            #expect(bounds.lower <= bounds.upper && bounds.upper < last)
            #expect(try Self.bounds(steps, probability: 0.4, z: 1).upper < bounds.lower)
            last = bounds.lower
        }
        let some = try Self.bounds(11, 3, z: 1)
        #expect(try some.lower < some.upper && some.upper < Self.gaussians(3, z: 1))
    }

    /// Ends are made for no more steps than there are, and for no fewer.
    @Test func numbersOfStepsAreRoundedToTheSafeSide() {
        for steps in [1, 2, 1000, 1023, 1024, 1025, 1537, 65_535, 1 << 24] {
            let below = RandomAllocatedEvent.accounted(steps, side: .upper)
            let above = RandomAllocatedEvent.accounted(steps, side: .lower)
            #expect(below <= steps && above >= steps && above - below <= steps >> 9)
            #expect(steps > 1024 || (below == steps && above == steps))
            #expect(below.nonzeroBitCount <= 10 && above.nonzeroBitCount <= 10)
        }
        #expect(RandomAllocatedEvent.accounted(.max, side: .upper) == 1 << 24)
    }

    /// Bins that stay are one epoch of less noise. Thrown anew they are never worse.
    @Test func epochsOfTheirOwnAreNoWorse() throws {
        let (fixed, redrawn) = try (Self.bounds(10, z: 1.5 / 2), Self.bounds(10, z: 1.5, count: 4))
        #expect(redrawn.upper < fixed.lower)
        #expect(try fixed.upper < Self.gaussians(4, z: 1.5))
    }

    /// What is simpler is accounted as what it is.
    @Test func edgesAreSimplerEvents() throws {
        func phases(_ steps: Int, _ participations: Int, _ probability: Double = 1, z: Double = 2) throws -> Phases {
            try Phases(
                .randomAllocated(
                    steps: steps, participations: participations, probability: probability, noiseMultiplier: z))
        }
        for nothing in [try phases(0, 0), try phases(5, 0), try phases(5, 1, 0), try phases(5, 1, z: .infinity)] {
            #expect(nothing.gaussianNoiseMultiplier == .infinity)
        }
        #expect(try phases(5, 2, z: 0).isNonPrivate)
        #expect(try phases(5, 5).gaussianNoiseMultiplier == 2 / 5.0.squareRoot())
        let poisson = try PrivacyEvent.poissonSampled(probability: 0.25, .gaussian(noiseMultiplier: 2))
        let expected = try PrivacyLossDistributionAccountant().epsilonBounds(of: poisson, delta: 1e-5)
        #expect(try Self.bounds(1, probability: 0.25, z: 2) == expected)
        // 11 = 4 + 4 + 3.
        #expect(Set(try phases(11, 3).phases.map(\.count)) == [1, 2])
    }

    /// Participations are counted under replace-one, and by Rényi divergences.
    @Test func participationsAreCountedWhereNothingBetterIsProven() throws {
        let bounds = try Self.bounds(10, 2, z: 2, .replaceOne)
        let known = try Self.gaussians(2, z: 2, .replaceOne)
        #expect(bounds.upper >= known * (1 - 1e-6) && bounds.upper < known * 1.001)
        #expect(try bounds.lower >= Self.bounds(10, 2, z: 2).lower * (1 - 1e-3))
        #expect(try Self.bounds(10, 2, z: 2, .replaceSpecial) == Self.bounds(10, 2, z: 2))
        let event = try PrivacyEvent.randomAllocated(steps: 10, participations: 2, noiseMultiplier: 2)
        for relation in NeighboringRelation.allCases {
            let renyi = RenyiAccountant(relation: relation)
            let two = try PrivacyEvent.selfComposed(.gaussian(noiseMultiplier: 2), count: 2)
            let ratio = try renyi.divergence(of: event, order: 3) / renyi.divergence(of: two, order: 3)
            // The same two numbers, added before and after they are multiplied.
            #expect(abs(ratio - 1) < 0x1p-49)
        }
    }

    /// Where Float64 ends, the step is taken to be known.
    @Test func littleNoiseIsStillBounded() throws {
        for z in [0.02, 0.051] {
            let bounds = try Self.bounds(4, z: z)
            #expect(try bounds.lower > 0 && bounds.upper <= Self.gaussians(1, z: z) * (1 + 1e-3))
        }
    }

    @Test func badNumbersThrow() {
        func refuses(_ steps: Int, _ participations: Int, _ probability: Double, _ z: Double, _ name: String) -> Bool {
            do throws(AccountingError) {
                _ = try RandomAllocatedEvent(
                    steps: steps, participations: participations, probability: probability, noiseMultiplier: z)
                return false
            } catch {
                guard case .outOfRange(name, _, _) = error else { return false }
                return true
            }
        }
        #expect(refuses(-1, 0, 1, 1, "steps") && refuses(3, 4, 1, 1, "participations"))
        #expect(refuses(3, -1, 1, 1, "participations") && refuses(3, 1, 1.1, 1, "probability"))
        #expect(refuses(3, 2, 0.5, 1, "probability") && refuses(3, 1, 1, -1, "noiseMultiplier"))
        #expect(!refuses(3, 1, 0.5, 1, "probability") && !refuses(3, 3, 1, .infinity, "steps"))
    }
}
