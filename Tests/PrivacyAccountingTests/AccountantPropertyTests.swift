import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct AccountantPropertyTests {
    private static func bounds(
        _ z: Double, _ q: Double, _ steps: Int, _ relation: NeighboringRelation = .addOrRemoveOne
    ) throws -> PrivacyBounds {
        try PrivacyLossDistributionAccountant(relation: relation).epsilonBounds(
            of: .dpSGD(noiseMultiplier: z, samplingProbability: q, iterations: steps), delta: 1e-6)
    }

    /// Random settings; a change that must raise ε puts the new upper end above the old lower end, and a change of a
    /// third moves both ends.
    @Test func monotoneInEveryParameter() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<12 {
            let z = Double.random(in: 0.6...4, using: &random)
            let q = pow(10, Double.random(in: -2.5 ... -0.6, using: &random))
            let steps = Int.random(in: 20...2000, using: &random)
            for relation in NeighboringRelation.allCases {
                let base = try Self.bounds(z, q, steps, relation)
                #expect(base.lower <= base.upper)
                #expect(try Self.bounds(z * 0.75, q, steps, relation).upper > base.upper)
                #expect(try Self.bounds(z, q * 1.33, steps, relation).upper > base.upper)
                #expect(try Self.bounds(z, q, steps * 2, relation).upper > base.upper)
            }
            let loose = try RenyiAccountant(relation: .addOrRemoveOne).epsilon(
                of: .dpSGD(noiseMultiplier: z, samplingProbability: q, iterations: steps), delta: 1e-6)
            #expect(try loose >= Self.bounds(z, q, steps).lower)
        }
    }

    @Test func relationsAreOrdered() throws {
        let (single, special) = try (Self.bounds(1, 0.05, 100), Self.bounds(1, 0.05, 100, .replaceSpecial))
        #expect(single == special)
        let replaced = try Self.bounds(1, 0.05, 100, .replaceOne)
        #expect(replaced.lower > single.upper)
        // Replacing one is removing one and adding another: no worse than the Gaussian of half the noise.
        #expect(try replaced.lower <= Self.bounds(0.5, 0.05, 100).upper)
    }

    /// Both accountants double the sensitivity for replace-one, once.
    @Test func accountantsAgreeAboutReplaceOne() throws {
        let (full, half) = try (PrivacyEvent.gaussian(noiseMultiplier: 1), PrivacyEvent.gaussian(noiseMultiplier: 0.5))
        let pld = PrivacyLossDistributionAccountant(relation: .replaceOne)
        #expect(
            try pld.epsilon(of: full, delta: 1e-5)
                == PrivacyLossDistributionAccountant().epsilon(of: half, delta: 1e-5))
        let rdp = RenyiAccountant(relation: .replaceOne)
        #expect(
            try rdp.epsilon(of: full, delta: 1e-5)
                == RenyiAccountant(relation: .addOrRemoveOne).epsilon(of: half, delta: 1e-5))
        // z = 1 is ½-zCDP, and group privacy of two says what doubling says.
        let zCDP = try rdp.epsilon(of: .zCDP(rho: 0.5), delta: 1e-5)
        #expect(abs(zCDP / (try rdp.epsilon(of: full, delta: 1e-5)) - 1) < 1e-9)
    }

    @Test func orderOfCompositionIsIrrelevant() throws {
        let phases: [PrivacyEvent] = try [
            .dpSGD(noiseMultiplier: 1, samplingProbability: 0.01, iterations: 300),
            .dpSGD(noiseMultiplier: 2, samplingProbability: 0.05, iterations: 100),
            .gaussian(noiseMultiplier: 8), .laplace(noiseMultiplier: 20),
        ]
        let accountant = PrivacyLossDistributionAccountant()
        let forward = try accountant.epsilonBounds(of: .composed(phases), delta: 1e-6)
        #expect(try accountant.epsilonBounds(of: .composed(phases.reversed()), delta: 1e-6) == forward)
        // Cutting a phase in two is no change either.
        var cut = Array(phases.dropFirst())
        cut.append(try .dpSGD(noiseMultiplier: 1, samplingProbability: 0.01, iterations: 120))
        cut.append(try .dpSGD(noiseMultiplier: 1, samplingProbability: 0.01, iterations: 180))
        #expect(try accountant.epsilonBounds(of: .composed(cut), delta: 1e-6) == forward)
        for phase in phases { #expect(try accountant.epsilon(of: phase, delta: 1e-6) < forward.upper) }
        let rdp = RenyiAccountant(relation: .addOrRemoveOne)
        #expect(try rdp.epsilon(of: .composed(phases), delta: 1e-6) > forward.lower)
    }

    @Test func epsilonAndDeltaInvert() throws {
        let event = try PrivacyEvent.dpSGD(noiseMultiplier: 1.1, samplingProbability: 0.01, iterations: 1000)
        let accountant = PrivacyLossDistributionAccountant()
        for delta in [0.1, 1e-3, 1e-5, 1e-12, 1e-60] {
            let bounds = try accountant.epsilonBounds(of: event, delta: delta)
            #expect(bounds.lower <= bounds.upper)
            let back = try accountant.deltaBounds(of: event, epsilon: bounds.upper)
            #expect(back.lower <= delta * 1.000001, "\(delta): \(back)")
            // Both errors of 0.02 % in ε count here, times the slope of log δ.
            #expect(abs(back.upper / delta - 1) < 0.05, "\(delta): \(back)")
        }
    }
}
