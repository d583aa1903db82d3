import Foundation
import Testing

@testable import PrivacyAccounting

/// `random_allocation` of `mechanisms.json`: δ by quadrature, Rényi divergences as multinomial sums; and brackets of ε
/// from arXiv 2602.17284.
@Suite struct RandomAllocationReferenceTests {
    struct File: Decodable {
        let allocation: Allocation

        enum CodingKeys: String, CodingKey {
            case allocation = "random_allocation"
        }
    }

    struct Allocation: Decodable {
        let delta: [Delta]
        let renyi: [Renyi]
    }

    struct Delta: Decodable {
        let steps, chosen: Int
        let noiseMultiplier, epsilon, remove, add: Double

        enum CodingKeys: String, CodingKey {
            case steps, chosen, epsilon
            case noiseMultiplier = "noise_multiplier"
            case remove = "delta_remove_f64"
            case add = "delta_add_f64"
        }
    }

    struct Renyi: Decodable {
        let steps: Int
        let noiseMultiplier, order2, order3: Double

        enum CodingKeys: String, CodingKey {
            case steps
            case noiseMultiplier = "noise_multiplier"
            case order2 = "renyi_remove_order_2_f64"
            case order3 = "renyi_remove_order_3_f64"
        }
    }

    let reference: Allocation

    init() throws { reference = try ReferenceValues.load("mechanisms.json", as: File.self).allocation }

    /// Both ends, in both directions, 0.4 % apart at most. Quadrature errs by 10⁻¹² of 1 at most where δ is that small.
    @Test func deltaLiesBetweenTheEnds() throws {
        for row in reference.delta {
            let event = try RandomAllocatedEvent(
                steps: row.steps, participations: row.chosen, noiseMultiplier: row.noiseMultiplier)
            let (upper, lower) = (
                event.loss(under: .addOrRemoveOne, side: .upper), event.loss(under: .addOrRemoveOne, side: .lower)
            )
            for (isRemoved, exact) in [(true, row.remove), (false, row.add)] {
                let most = upper.delta(row.epsilon, isRemoved: isRemoved)
                let least = lower.delta(row.epsilon, isRemoved: isRemoved)
                #expect(most >= exact * (1 - 1e-9) - 1e-12 && least <= exact * (1 + 1e-9) + 1e-12, "\(row)")
                #expect(most <= exact * 1.002 + 1e-12 && least >= exact * 0.998 - 1e-12, "\(row)")
            }
            let bounds = try PrivacyLossDistributionAccountant().deltaBounds(
                of: event.asPrivacyEvent, epsilon: row.epsilon)
            let exact = max(row.remove, row.add)
            #expect(bounds.upper >= exact * (1 - 1e-9) - 1e-12 && bounds.lower <= exact * (1 + 1e-9) + 1e-12)
            #expect(bounds.upper <= exact * 1.004 + 1e-12 && bounds.lower >= exact * 0.95 - 1e-12, "\(row) \(bounds)")
        }
    }

    /// Spreading raises log E X^α by a relative third of the squared fineness for α = 2, α − 1 times that for others;
    /// 10⁻³ is ten times as much.
    @Test func renyiDivergencesMatch() throws {
        for row in reference.renyi {
            let sum = LikelihoodRatioSum.of(terms: row.steps, noiseMultiplier: row.noiseMultiplier)
            for (order, exact) in [(2.0, row.order2), (3, row.order3)] {
                let divergence = sum.logMoment(order) / (order - 1)
                #expect(divergence >= exact * (1 - 1e-8), "\(row)")
                #expect(divergence <= exact * (1 + 1e-3), "\(row) \(divergence)")
            }
        }
    }

    /// Inside the published brackets, and within 1 % of their lower ends.
    @Test func publishedBracketsHold() throws {
        for (z, steps, low, high) in [(1.0, 8, 3.711, 3.727), (2, 64, 0.314, 0.346)] {
            let bounds = try PrivacyLossDistributionAccountant().epsilonBounds(
                of: .randomAllocated(steps: steps, participations: 1, noiseMultiplier: z), delta: 1e-8)
            #expect(bounds.lower <= bounds.upper && bounds.upper < bounds.lower * 1.01)
            #expect(low < bounds.upper && bounds.upper < high)
        }
    }
}

extension LossStep {
    /// δ(ε) of a step, by the pair of one direction alone: P(L > ε) − e^ε·Q(L > ε).
    func delta(_ epsilon: Double, isRemoved: Bool) -> Double {
        parts.reduce(infinityMass) { result, part in
            let tails = (isRemoved ? part.pair : part.mirror).tails(at: epsilon)
            return result + part.weight * (tails.pAbove - exp(epsilon) * tails.qAbove)
        }
    }
}

extension LikelihoodRatioSum {
    /// log E (x_J/n)^α, of labels' values.
    func logMoment(_ order: Double) -> Double {
        var sum = LogSum()
        for (index, measure) in zip(indices, masses) where measure.mass > 0 {
            sum.add(log(measure.mass) + order * (Double(index) * interval - log(Double(terms))))
        }
        return sum.value
    }
}
