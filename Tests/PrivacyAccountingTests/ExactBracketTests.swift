import Foundation
import Testing

@testable import PrivacyAccounting

/// Both ends of ε and of δ against values that are exact to 15 digits, for δ down to the least that is resolved.
///
/// The control is built in: 28 of the rows of one step failed before an upper end had to be proven.
@Suite struct ExactBracketTests {
    /// A value of 15 digits, rounded, and q, z and δ as binary fractions.
    static let rounding = 2e-15

    static func event(_ row: ExactEpsilon, noise factor: Double = 1) throws -> PrivacyEvent {
        try .dpSGD(noiseMultiplier: row.z * factor, samplingProbability: row.q, iterations: row.steps)
    }

    @Test func epsilonIsBracketed() throws {
        for row in ExactEpsilon.all {
            let bounds = try PrivacyLossDistributionAccountant(relation: row.relation).epsilonBounds(
                of: Self.event(row), delta: row.delta)
            #expect(bounds.upper >= row.epsilon * (1 - Self.rounding), "\(row): \(bounds)")
            #expect(bounds.lower <= row.epsilon * (1 + Self.rounding), "\(row): \(bounds)")
            #expect(bounds.upper.isFinite, "\(row): \(bounds)")
        }
    }

    /// Cells so coarse that one holds all of a loss: the ends are far apart, and still ends.
    @Test(arguments: [0.1, 1, 4]) func coarseCellsAreBracketed(fineness: Double) throws {
        let shape = CellShape(fineness: fineness, widest: .infinity, reach: 0)
        for row in ExactEpsilon.all {
            let models = try LossModel.directions(Phases(Self.event(row)), relation: row.relation, side: .upper)
            let tail = max(1e-305, 1e-6 * row.delta)
            func end(_ side: LossModel.Side) -> Double {
                models.reduce(0) { most, model in
                    let one = CellLoss(model.components[0].parts[0].pair, side: side, tail: tail, shape: shape)
                    let all = one.times(row.steps, side: side, tail: tail)
                    return max(most, all.epsilon(delta: row.delta, side: side))
                }
            }
            #expect(end(.upper) >= row.epsilon * (1 - Self.rounding), "\(row): \(end(.upper))")
            if row.epsilon > 0 { #expect(end(.lower) <= row.epsilon * (1 + Self.rounding), "\(row): \(end(.lower))") }
        }
    }

    /// The ends are close: what is bracketed above is no empty talk.
    @Test func bracketsTellNoiseApart() throws {
        for row in ExactEpsilon.all where row.epsilon > 0 {
            let accountant = PrivacyLossDistributionAccountant(relation: row.relation)
            let more = try accountant.epsilonBounds(of: Self.event(row, noise: 1.05), delta: row.delta)
            let less = try accountant.epsilonBounds(of: Self.event(row, noise: 1 / 1.05), delta: row.delta)
            #expect(more.upper < row.epsilon && less.lower > row.epsilon, "\(row): \(more) \(less)")
        }
    }

    @Test func replaceSpecialIsAddOrRemove() throws {
        for row in ExactEpsilon.all where row.relation == .addOrRemoveOne && row.z >= 10 {
            let bounds = try PrivacyLossDistributionAccountant(relation: .replaceSpecial).epsilonBounds(
                of: Self.event(row), delta: row.delta)
            #expect(bounds.upper >= row.epsilon * (1 - Self.rounding), "\(row): \(bounds)")
            #expect(bounds.lower <= row.epsilon * (1 + Self.rounding), "\(row): \(bounds)")
        }
    }

    /// δ at an ε a little lower is at least δ, and at an ε a little higher at most δ.
    @Test func deltaIsBracketed() throws {
        for row in ExactEpsilon.all where row.epsilon > 0 {
            let accountant = PrivacyLossDistributionAccountant(relation: row.relation)
            let below = try accountant.deltaBounds(of: Self.event(row), epsilon: row.epsilon * (1 - Self.rounding))
            let above = try accountant.deltaBounds(of: Self.event(row), epsilon: row.epsilon * (1 + Self.rounding))
            #expect(below.upper >= row.delta, "\(row): \(below)")
            #expect(above.lower <= row.delta, "\(row): \(above)")
        }
    }

    /// More steps, or a Gaussian mechanism beside the sampled one, cost at least as much; with the sampling left out
    /// the composition is a Gaussian mechanism, and costs no less.
    @Test(arguments: [1e-12, 1e-279])
    func compositionsLieBetweenKnownOnes(delta: Double) throws {
        for row in ExactEpsilon.all where row.delta == 1e-279 && row.steps == 1 && row.z >= 10 {
            for relation in [NeighboringRelation.addOrRemoveOne, .replaceOne] {
                let accountant = PrivacyLossDistributionAccountant(relation: relation)
                func mu(_ inverseVariance: Double) -> Double {
                    relation.sensitivityFactor * inverseVariance.squareRoot()
                }
                let steps = 30
                let sampled = try PrivacyEvent.dpSGD(
                    noiseMultiplier: row.z, samplingProbability: row.q, iterations: steps)
                let both = try PrivacyEvent.composed([.gaussian(noiseMultiplier: 2 * row.z), sampled])
                let bounds = try accountant.epsilonBounds(of: both, delta: delta)
                let alone = GaussianDifferentialPrivacy.epsilon(delta: delta, mu: mu(0.25 / row.z / row.z))
                let unsampled = GaussianDifferentialPrivacy.epsilon(
                    delta: delta, mu: mu((0.25 + Double(steps)) / row.z / row.z))
                #expect(bounds.upper >= alone * (1 - 1e-8), "\(row) \(accountant): \(bounds)")
                #expect(bounds.lower <= unsampled * (1 + 1e-8), "\(row) \(accountant): \(bounds)")
            }
        }
        for row in ExactEpsilon.all where row.delta <= 1e-12 && row.steps == 1 {
            let bounds = try PrivacyLossDistributionAccountant(relation: row.relation).epsilonBounds(
                of: .dpSGD(noiseMultiplier: row.z, samplingProbability: row.q, iterations: 100), delta: row.delta)
            #expect(bounds.upper >= row.epsilon * (1 - Self.rounding), "\(row): \(bounds)")
        }
    }

    /// One Laplace mechanism: ε(δ) = 1/b + 2·log(1 − δ); 1/b after rounding where δ is tiny.
    @Test func laplaceIsBracketed() throws {
        for relation in NeighboringRelation.allCases {
            for b in [0.3, 3, 7, 1e4] {
                for delta in [0, 1e-300, 1e-200, 1e-50, 1e-9, 1e-5] {
                    let accountant = PrivacyLossDistributionAccountant(relation: relation)
                    let most = relation.sensitivityFactor / b
                    let exact = max(0, most + 2 * log1p(-delta))
                    let bounds = try accountant.epsilonBounds(of: .laplace(noiseMultiplier: b), delta: delta)
                    // 1/b itself is rounded.
                    #expect(bounds.upper.nextUp >= exact, "\(relation) \(b) \(delta): \(bounds)")
                    #expect(bounds.lower.nextDown <= exact, "\(relation) \(b) \(delta): \(bounds)")
                    #expect(bounds.upper <= most.nextUp, "\(relation) \(b) \(delta): \(bounds)")
                }
            }
        }
    }

    /// ε·b = count holds exactly for few b; the ends lie on either side.
    @Test func pureEpsilonIsRoundedOutward() throws {
        for (b, count) in [(49.0, 1), (3, 7), (10, 3), (0.1, 9)] {
            let event = try PrivacyEvent.selfComposed(.laplace(noiseMultiplier: b), count: count)
            let bounds = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: 0)
            // count − ε·b, exactly rounded: at most 0 for the upper end, at least 0 for the lower.
            #expect(Double(count).addingProduct(-bounds.upper, b) <= 0)
            #expect(Double(count).addingProduct(-bounds.lower, b) >= 0)
            #expect(bounds.upper <= bounds.lower.nextUp)
        }
    }

    /// Below the least δ: ∞ as an upper end, and as a lower end what is true of the least δ.
    @Test func lowerEndsBelowTheLeastDeltaAreFinite() throws {
        let least = GaussianDifferentialPrivacy.leastDelta
        let events: [PrivacyEvent] = try [
            .gaussian(noiseMultiplier: 2), .dpSGD(noiseMultiplier: 2, samplingProbability: 0.1, iterations: 10),
        ]
        for event in events {
            for delta in [1e-281, 1e-300, Double.leastNormalMagnitude] {
                let bounds = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: delta)
                #expect(bounds.upper == .infinity)
                let atLeast = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: least * 2)
                #expect(bounds.lower > 0 && bounds.lower <= atLeast.upper * 1.01)
            }
        }
    }
}
