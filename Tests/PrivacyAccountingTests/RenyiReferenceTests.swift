import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct RenyiReferenceTests {
    let reference = AccountingReference.shared

    /// The reference's own grid of orders.
    static let grid = (11...109).map { Double($0) / 10 } + (11...63).map { Double($0) } + [128, 256, 512, 1024]

    /// At most 0.1 % above. Often lower, for two reasons: the reference looks only at its grid, whose gaps reach a
    /// factor of two above order 63, and its series for fractional orders lies up to 8 % above the integral it stands
    /// for at large q. What is lower must be so for these reasons, which the next two tests hold.
    @Test func dpSGDMatches() throws {
        for row in reference.dpsgd {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb,
                iterations: row.iterations)
            let ours = try RenyiAccountant(relation: .addOrRemoveOne).guarantee(of: event, delta: row.delta)
            #expect(ours.epsilon <= row.rdpEpsilonF64 * 1.001, "\(row): \(ours)")
            #expect(ours.order != nil)
        }
    }

    /// On the integer orders of its grid, where its sum is exact, the reference can do no better than we do there; on
    /// its whole grid we do no worse than it.
    @Test func dpSGDMatchesOrderByOrder() throws {
        for row in reference.dpsgd {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb,
                iterations: row.iterations)
            let accountant = RenyiAccountant(relation: .addOrRemoveOne)
            func least(_ orders: [Double]) throws -> Double {
                try orders.map {
                    RenyiConversion.epsilon(
                        order: $0, divergence: try accountant.divergence(of: event, order: $0), delta: row.delta)
                }.min()!
            }
            #expect(try least(Self.grid) <= row.rdpEpsilonF64 * (1 + 1e-8), "\(row)")
            #expect(try least(Self.grid.filter { $0 == $0.rounded() }) >= row.rdpEpsilonF64 * (1 - 1e-8), "\(row)")
        }
    }

    /// At the order that won, (α − 1)·D_α lies between what convexity allows: below the chord of the integer orders
    /// around it, above the lines through the integers on either side. Integer orders by a plain binomial sum.
    @Test func theWinningOrderIsSound() throws {
        for row in reference.dpsgd where row.samplingProb < 1 {
            let (q, z) = (row.samplingProb, row.noiseMultiplier)
            func moment(_ order: Int) -> Double {
                guard order > 1 else { return 0 }
                var sum = LogSum()
                for k in 0...order {
                    let (n, j) = (Double(order), Double(k))
                    sum.add(logBinomial(n, j) + j * log(q) + (n - j) * log1p(-q) + j * (j - 1) / 2 / z / z)
                }
                return sum.value
            }
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: z, samplingProbability: q, iterations: row.iterations)
            let accountant = RenyiAccountant(relation: .addOrRemoveOne)
            let order = try #require(try accountant.guarantee(of: event, delta: row.delta).order)
            let ours =
                (order - 1) * RenyiDivergence.poissonGaussian(order: order, probability: q, noiseMultiplier: z)
            let below = Int(order.rounded(.down))
            let share = order - Double(below)
            let (here, next) = (moment(below), moment(below + 1))
            let chord = here + share * (next - here)
            let fromBelow = here + share * (here - moment(max(1, below - 1)))
            let fromAbove = next - (1 - share) * (moment(below + 2) - next)
            let rounding = 1e-12 + 1e-9 * chord
            #expect(ours <= chord + rounding && ours >= max(fromBelow, fromAbove) - rounding, "\(row): order \(order)")
            // On the integer itself the two agree; the control, a sampling probability 0.1 % off, does not.
            let whole = Double(below + 1)
            func atWhole(_ q: Double) -> Double {
                (whole - 1) * RenyiDivergence.poissonGaussian(order: whole, probability: q, noiseMultiplier: z)
            }
            #expect(abs(atWhole(q) - next) <= 1e-12 + 1e-8 * next)
            #expect(abs(atWhole(q * 0.999) - next) > 1e-12 + 1e-8 * next)
        }
    }

    /// On integer orders both sum the same series.
    @Test func gaussianMatches() throws {
        for row in reference.gaussian {
            let event = try PrivacyEvent.selfComposed(
                .gaussian(noiseMultiplier: row.noiseMultiplier), count: row.iterations)
            let accountant = RenyiAccountant(relation: .addOrRemoveOne)
            let ours = try accountant.epsilon(of: event, delta: row.delta)
            #expect(ours <= row.rdpEpsilonF64 * (1 + 1e-9))
            #expect(ours >= row.rdpEpsilonF64 * 0.999)
            // ρ-zCDP with ρ = T/(2z²) is what the Gaussian mechanism is.
            let zCDP = try accountant.epsilon(of: .zCDP(rho: row.zcdpRhoF64), delta: row.delta)
            #expect(abs(zCDP / ours - 1) < 1e-9)
        }
    }

    /// The reference states z over the replace-one distance, 2C; ours is over C, so the same noise is 2z.
    @Test func fixedSizeMatches() throws {
        for row in reference.fixedSize {
            func event(_ z: Double) throws -> PrivacyEvent {
                try .selfComposed(
                    .sampledWithoutReplacement(
                        sourceSize: row.datasetSize, sampleSize: row.batchSize, .gaussian(noiseMultiplier: z)),
                    count: row.iterations)
            }
            let accountant = RenyiAccountant(relation: .replaceOne)
            let ours = try accountant.epsilon(of: event(2 * row.noiseMultiplier), delta: row.delta)
            #expect(ours <= row.rdpEpsilonF64 * 1.001, "\(row): \(ours)")
            #expect(ours >= row.rdpEpsilonF64 * 0.9)
            // Negative control: not doubling would claim far less than the noise gives.
            #expect(try accountant.epsilon(of: event(row.noiseMultiplier), delta: row.delta) > 1.5 * ours)
        }
    }
}
