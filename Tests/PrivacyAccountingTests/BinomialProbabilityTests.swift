import Foundation
import Testing

@testable import PrivacyAccounting

/// Bounds on binomial probabilities, and what truncation makes of them, against values computed with mpmath in 40
/// digits: log Γ for one term,
///
///     exp(loggamma(n + 1) − loggamma(k + 1) − loggamma(n − k + 1) + k·log(q) + (n − k)·log1p(−q)),
///
/// and (n − j)/(j + 1)·q/(1 − q) from neighbour to neighbour until terms fall below 10⁻³⁰ of the sum. q is the Float64
/// number that is written.
@Suite struct BinomialProbabilityTests {
    struct Row: Sendable {
        let n, k: Int
        let q, atLeast, below: Double

        init(_ n: Int, _ q: Double, _ k: Int, _ atLeast: Double, _ below: Double) {
            (self.n, self.k, self.q, self.atLeast, self.below) = (n, k, q, atLeast, below)
        }
    }

    /// P(Bin(n, q) ≥ k) and P(Bin(n, q) < k), for k at −3, 0, 4, 12 and 30 standard deviations from the mean.
    static let rows: [Row] = [
        .init(1_000, 0.5, 452, 0.998928149951076334, 0.00107185004892366575),
        .init(1_000, 0.5, 500, 0.512612509089180401, 0.487387490910819599),
        .init(1_000, 0.5, 563, 0.0000378387303864900025, 0.99996216126961351),
        .init(1_000, 0.5, 689, 7.63199891847624743e-34, 1.0),
        .init(1_000, 0.5, 974, 1.71297059923145033e-250, 1.0),
        .init(1_000, 0.01, 10, 0.542699407825109201, 0.457300592174890799),
        .init(1_000, 0.01, 22, 0.000651825138273044073, 0.999348174861726956),
        .init(1_000, 0.01, 47, 1.11528139504566135e-17, 0.999999999999999989),
        .init(1_000, 0.01, 104, 5.0662154543897123e-69, 1.0),
        .init(100_000, 0.5, 49_525, 0.998682302851436787, 0.00131769714856321281),
        .init(100_000, 0.5, 50_000, 0.50126156310709837, 0.49873843689290163),
        .init(100_000, 0.5, 50_632, 0.0000324830472827189205, 0.999967516952717281),
        .init(100_000, 0.5, 51_897, 1.86560392332150204e-33, 1.0),
        .init(100_000, 0.5, 54_743, 2.96761126489273663e-198, 1.0),
        .init(100_000, 0.01, 905, 0.998964113757089729, 0.00103588624291027061),
        .init(100_000, 0.01, 1000, 0.504268687972111904, 0.495731312027888096),
        .init(100_000, 0.01, 1125, 0.0000512415222293496813, 0.99994875847777065),
        .init(100_000, 0.01, 1377, 4.94926701141405731e-30, 1.0),
        .init(100_000, 0.01, 1943, 2.24064316513987042e-155, 1.0),
        .init(100_000, 0.01, 905, 0.998964113757089729, 0.00103588624291027061),
        .init(100_000, 0.01, 1000, 0.504268687972111904, 0.495731312027888096),
        .init(100_000, 0.01, 1125, 0.0000512415222293496813, 0.99994875847777065),
        .init(100_000, 0.01, 1377, 4.94926701141405731e-30, 1.0),
        .init(100_000, 0.01, 1943, 2.24064316513987042e-155, 1.0),
        .init(10_000_000, 0.5, 4_995_256, 0.998653136754145396, 0.00134686324585460378),
        .init(10_000_000, 0.5, 5_000_000, 0.500126156622947092, 0.499873843377052908),
        .init(10_000_000, 0.5, 5_006_324, 0.0000317606181834011415, 0.999968239381816599),
        .init(10_000_000, 0.5, 5_018_973, 1.79207060003106163e-33, 1.0),
        .init(10_000_000, 0.5, 5_047_434, 4.93564889867411309e-198, 1.0),
        .init(10_000_000, 0.01, 99_056, 0.998676430123401973, 0.00132356987659802708),
        .init(10_000_000, 0.01, 100_000, 0.500426867023556301, 0.499573132976443699),
        .init(10_000_000, 0.01, 101_258, 0.0000331948146882582469, 0.999966805185311742),
        .init(10_000_000, 0.01, 103_775, 4.48460352744711597e-33, 1.0),
        .init(10_000_000, 0.01, 109_439, 3.44105972534261183e-192, 1.0),
        .init(10_000_000, 0.0001, 905, 0.998911118708832037, 0.00108888129116796304),
        .init(10_000_000, 0.0001, 1000, 0.504205874947568543, 0.495794125052431457),
        .init(10_000_000, 0.0001, 1126, 0.0000490837656101311776, 0.999950916234389869),
        .init(10_000_000, 0.0001, 1379, 5.30169441555713843e-30, 1.0),
        .init(10_000_000, 0.0001, 1948, 6.93053564739335703e-155, 1.0),
        .init(1_000_000_000, 0.5, 499_952_565, 0.998650476150589574, 0.00134952384941042594),
        .init(1_000_000_000, 0.5, 500_000_000, 0.500012615662606947, 0.499987384337393053),
        .init(1_000_000_000, 0.5, 500_063_245, 0.0000316801568403543199, 0.999968319843159646),
        .init(1_000_000_000, 0.5, 500_189_736, 1.77805389475105732e-33, 1.0),
        .init(1_000_000_000, 0.5, 500_474_341, 4.9171027930942839e-198, 1.0),
        .init(1_000_000_000, 0.01, 9_990_560, 0.998653658407292021, 0.00134634159270797943),
        .init(1_000_000_000, 0.01, 10_000_000, 0.500042686700602962, 0.499957313299397038),
        .init(1_000_000_000, 0.01, 10_012_585, 0.0000318270372461578151, 0.999968172962753842),
        .init(1_000_000_000, 0.01, 10_037_757, 1.94746000381139958e-33, 1.0),
        .init(1_000_000_000, 0.01, 10_094_392, 2.00439458858695727e-197, 1.0),
        .init(1_000_000_000, 1e-06, 905, 0.998910580361893219, 0.00108941963810678053),
        .init(1_000_000_000, 1e-06, 999, 0.516819868130941564, 0.483180131869058436),
        .init(1_000_000_000, 1e-06, 1126, 0.0000491242140155424753, 0.999950875785984458),
        .init(1_000_000_000, 1e-06, 1379, 5.33968856592294946e-30, 1.0),
        .init(1_000_000_000, 1e-06, 1948, 7.24586688956704518e-155, 1.0),
        .init(100_000_000_000, 0.01, 1_000_125_857, 0.0000316840539354362918, 0.999968315946064564),
        .init(100_000_000_000, 0.01, 1_000_943_927, 5.6524719783420608e-198, 1.0),
        .init(100_000_000_000, 1e-08, 905, 0.998910574977582068, 0.0010894250224179316),
        .init(100_000_000_000, 1e-08, 1000, 0.50420524424328883, 0.49579475575671117),
        .init(100_000_000_000, 1e-08, 1126, 0.0000491246186267910716, 0.999950875381373209),
        .init(100_000_000_000, 1e-08, 1379, 5.34006983643063427e-30, 1.0),
        .init(100_000_000_000, 1e-08, 1948, 7.24909116739226643e-155, 1.0),
    ]

    private static func contains(_ bounds: BinomialProbability, _ exact: Double) -> Bool {
        // The literal itself is rounded.
        bounds.lower <= exact.nextUp && exact.nextDown <= bounds.upper
    }

    @Test func boundsHoldAndAreNarrow() {
        for row in Self.rows {
            let atLeast = BinomialProbability(from: row.k, through: row.n, trials: row.n, success: row.q)
            let below = BinomialProbability(from: 0, through: row.k - 1, trials: row.n, success: row.q)
            for (bounds, exact) in [(atLeast, row.atLeast), (below, row.below)] {
                #expect(Self.contains(bounds, exact), "\(row): \(bounds)")
                // D ≤ 30²/2 gives 2⁻⁴⁵·450 = 1.3·10⁻¹¹; sums of some 20 standard deviations, of at most 3.2·10⁴ (the
                // largest here, n = 10¹¹ at q = 0.01), give 6u·σ + 20u·σ = 9·10⁻¹¹; the upper end doubles the error.
                #expect(bounds.upper - bounds.lower <= 1e-9 * exact, "\(row): \(bounds)")
            }
        }
    }

    /// The control: differences of log Γ, as Float64 has them, leave these bounds, and leave them to the unsafe side.
    @Test func logGammaIsNotGoodEnough() {
        var (missed, unsafe) = (0, 0)
        for row in Self.rows where row.n >= 1_000_000_000 {
            let (n, k) = (Double(row.n), Double(row.k))
            let exact = BinomialProbability(from: row.k, through: row.k, trials: row.n, success: row.q)
            let plain = exp(logBinomial(n, k) + k * log(row.q) + (n - k) * log1p(-row.q))
            if plain < exact.lower || plain > exact.upper { missed += 1 }
            if plain * (1 + 1e-9) < exact.lower { unsafe += 1 }
        }
        #expect(missed > 0 && unsafe > 0)
    }

    @Test func edges() {
        func bounds(_ first: Int, _ last: Int, _ n: Int, _ q: Double) -> [Double] {
            let result = BinomialProbability(from: first, through: last, trials: n, success: q)
            return [result.lower, result.upper]
        }
        #expect(bounds(0, 5, 5, 0.3) == [1, 1])
        #expect(bounds(-3, 0, 0, 0.3) == [1, 1])
        #expect(bounds(6, 9, 5, 0.3) == [0, 0])
        #expect(bounds(3, 2, 5, 0.3) == [0, 0])
        #expect(bounds(0, 4, 5, 1) == [0, 0])
        #expect(bounds(5, 5, 5, 1) == [1, 1])
        #expect(bounds(0, 0, 5, 0) == [1, 1])
        // Too unlikely for Float64, but not impossible.
        #expect(bounds(1000, 1000, 1000, 0.001) == [0, BinomialProbability.least])
        // Too many to sum.
        #expect(bounds(7, 1 << 60, 1 << 60, 0.5) == [0, 1])
        for q in [0.3, 1 - 0x1p-53, 1e-300] {
            let (none, all) = (bounds(0, 0, 3, q), bounds(3, 3, 3, q))
            let (noneExact, allExact) = ((1 - q) * (1 - q) * (1 - q), q * q * q)
            if noneExact > 1e-290 { #expect(none[0] <= noneExact && noneExact <= none[1]) }
            if allExact > 1e-290 { #expect(all[0] <= allExact && allExact <= all[1]) }
        }
    }

    struct Truncated: Sendable {
        let n, batch: Int
        let q, probability, spare, conditional, participation: Double

        init(
            _ n: Int, _ q: Double, _ batch: Int, _ probability: Double, _ spare: Double, _ conditional: Double,
            _ participation: Double
        ) {
            (self.n, self.batch, self.q, self.probability) = (n, batch, q, probability)
            (self.spare, self.conditional, self.participation) = (spare, conditional, participation)
        }
    }

    /// P(Bin(n − 1, q) ≥ m), its complement, q′ = P(Bin(n, q) > m)·m/n/P(Bin(n − 1, q) ≥ m) and the participation
    /// P(Bin(n − 1, q) < m)·q + P(Bin(n, q) > m)·m/n.
    static let truncated: [Truncated] = [
        .init(
            1_000, 0.05, 64, 0.0279369734172137541, 0.972063026582786246, 0.0475353410536665329, 0.0499311448885337866),
        .init(
            100_000, 0.01, 1094, 0.00167893955277841615, 0.998321060447221584, 0.00991125945387025236,
            0.00999985100998716782),
        .init(
            10_000_000, 0.001, 9800, 0.977841324345126903, 0.0221586756548730967, 0.000979462064141114955,
            0.000979917157600432577),
        .init(
            10_000_000, 0.001, 10_600, 1.41440697165897005e-9, 0.999999998585593028, 0.000998418969713709459,
            0.000999999999997763801),
        .init(
            1_000_000_000, 1e-06, 1158, 5.78418526088389563e-7, 0.999999421581473912, 9.94129193555820871e-7,
            9.99999996604216744e-7),
        .init(
            1_000_000_000, 0.001, 1_004_000, 0.000031804221409698953, 0.999968195778590301, 0.00099977464180873642,
            0.000999999992832658209),
        .init(
            1_000_000_000, 0.001, 1_012_000, 2.2129185490515462e-33, 1.0, 0.000999917873521314968,
            0.00100000000000000002),
        .init(
            100_000_000_000, 1e-08, 1094, 0.00176394629764117996, 0.99823605370235882, 9.91048827217315037e-9,
            9.99984210611910457e-9),
    ]

    /// Each number of a truncation is on the side that is safe, and by no more than 10⁻⁹ of it.
    @Test func truncationErrsOnTheSafeSide() {
        for row in Self.truncated {
            let ours = Truncation(datasetSize: row.n, probability: row.q, batch: row.batch)
            let atLeast = [
                (ours.probability, row.probability), (ours.spareProbability, row.spare),
                (ours.conditionalParticipation, row.conditional),
            ]
            for (ours, exact) in atLeast {
                #expect(ours >= exact.nextDown && ours <= exact * (1 + 1e-9), "\(row): \(ours)")
            }
            #expect(ours.participation <= row.participation.nextUp, "\(row): \(ours)")
            #expect(ours.participation >= row.participation * (1 - 1e-9), "\(row): \(ours)")
            #expect(ours.conditionalParticipation <= row.q)
        }
    }

    /// What cannot be summed, or cannot happen, still has an upper end, and it falls with more noise.
    @Test func extremeTruncationsHaveEnds() throws {
        func bounds(_ n: Int, _ q: Double, _ m: Int, _ relation: NeighboringRelation) throws -> PrivacyBounds {
            try PrivacyLossDistributionAccountant(relation: relation).epsilonBounds(
                of: .truncatedPoissonSampledGaussian(
                    datasetSize: n, probability: q, truncatedBatchSize: m, noiseMultiplier: 2), delta: 1e-8)
        }
        for relation in [NeighboringRelation.replaceOne, .replaceSpecial] {
            let plain = try PrivacyLossDistributionAccountant(relation: relation).epsilonBounds(
                of: .poissonSampled(probability: 0.001, .gaussian(noiseMultiplier: 2)), delta: 1e-8)
            // Never full: as plain Poisson sampling, but for 10⁻³⁰⁰ where that is not certain.
            #expect(try abs(bounds(100, 0.001, 100, relation).upper / plain.upper - 1) < 1e-9)
            #expect(try abs(bounds(1_000_000, 0.001, 5000, relation).upper / plain.upper - 1) < 1e-9)
            // Full for certain, and one in a thousand stays.
            let full = try bounds(1_000_000, 0.5, 1000, relation)
            #expect(full.lower <= full.upper && full.upper > plain.lower && full.upper.isFinite)
            let unknown = try bounds(1 << 60, 0.001, 1 << 49, relation)
            #expect(unknown.upper >= plain.upper && unknown.upper.isFinite)
        }
    }
}
