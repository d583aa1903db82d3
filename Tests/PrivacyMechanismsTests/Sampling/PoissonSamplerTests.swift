import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import Testing

struct PoissonSamplerTests {
    @Test(arguments: [0.05, 0.3, 0.5, 0.8])
    func examplesAreDrawnIndependently(q: Double) throws {
        let sampler = try PoissonSampler(exampleCount: 400, samplingProbability: q)
        let history = BatchSamplerHistory(of: sampler, steps: 1000)
        #expect(history.batches.allSatisfy { $0 == $0.sorted() && Set($0).count == $0.count })
        #expect(history.isPoisson(probability: q))
        // Control: another probability.
        #expect(!history.isPoisson(probability: q * 1.08))
    }

    /// Twins that get every example's probability right, and independence wrong.
    @Test func dependentBatchesAreTold() throws {
        let (n, q, steps) = (400, 0.3, 1000)
        var random = SeededGenerator(seed: 1)
        func history(_ batch: (Int) -> [Int]) -> BatchSamplerHistory {
            BatchSamplerHistory(exampleCount: n, batches: (0..<steps).map(batch))
        }
        let fixed = try FixedSizeSampler(exampleCount: n, batchSize: 120)
        #expect(!BatchSamplerHistory(of: fixed, steps: steps).isPoisson(probability: q))
        let pairs = history { _ in
            (0..<n / 2).filter { _ in .random(in: 0..<1, using: &random) < q }.flatMap { [2 * $0, 2 * $0 + 1] }
        }
        #expect(!pairs.isPoisson(probability: q))
        let poisson = BatchSamplerHistory(of: try PoissonSampler(exampleCount: n, samplingProbability: q), steps: steps)
        let stuttering = history { step in poisson.batches[step / 2 * 2] }
        #expect(!stuttering.isPoisson(probability: q))
        let forgetful = history { step in poisson.batches[step].filter { $0 > 0 } }
        #expect(poisson.isPoisson(probability: q) && !forgetful.isPoisson(probability: q))
    }

    @Test func theExtremesAreExact() throws {
        let nothing = BatchSamplerHistory(of: try PoissonSampler(exampleCount: 500, samplingProbability: 0), steps: 20)
        #expect(nothing.batches.allSatisfy { $0.isEmpty })
        let everything = BatchSamplerHistory(
            of: try PoissonSampler(exampleCount: 500, samplingProbability: 1), steps: 20)
        #expect(everything.batches.allSatisfy { $0 == Array(0..<500) })
        let empty = BatchSamplerHistory(of: try PoissonSampler(exampleCount: 0, samplingProbability: 0.5), steps: 20)
        #expect(empty.batches.allSatisfy { $0.isEmpty })
    }

    /// The event is not less than what the batches do: δ(ε) of removing one example, from its participations in real
    /// batches. Every example is a trial of its own, n of them.
    ///
    /// By the empirical Bernstein bound (Maurer and Pontil, arXiv 0907.3740, theorem 4) the mean of n values in [0, 1]
    /// of variance v exceeds the expectation by more than √(2vx/n) + 7x/(3(n − 1)) with a probability of at most
    /// 2e^{−x}; 10⁻⁶ here.
    @Test func theEventCoversWhatTheBatchesDo() throws {
        let (n, q, z, steps, epsilon) = (60_000, 0.2, 1.0, 8, 0.7)
        let sampler = try PoissonSampler(exampleCount: n, samplingProbability: q)
        var random = SeededGenerator(seed: 3)
        func normal() -> Double {
            let u = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)
            return (-2 * log(u)).squareRoot() * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
        }
        let participations = BatchSamplerHistory(of: sampler, steps: steps).steps
        let values = participations.map { steps -> Double in
            var loss = 0.0
            for step in 0..<8 {
                let x = z * normal() + (steps.contains(step) ? 1 : 0)
                loss += log1p(q * expm1((2 * x - 1) / (2 * z * z)))
            }
            return max(0, -expm1(epsilon - loss))
        }
        let mean = values.reduce(0, +) / Double(n)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n - 1)
        let x = log(2e6)
        let error = (2 * variance * x / Double(n)).squareRoot() + 7 * x / 3 / Double(n - 1)
        let accountant = PrivacyLossDistributionAccountant()
        let event = try sampler.gaussianEvent(z, steps)
        #expect(try accountant.delta(of: event, epsilon: epsilon) >= mean - error)
        // Control: half the probability claims too little.
        let less = try PoissonSampler(exampleCount: n, samplingProbability: q / 2)
        let claim = try accountant.delta(of: less.gaussianEvent(z, steps), epsilon: epsilon)
        #expect(claim < mean - error)
    }

    @Test func truncationKeepsARandomSubset() throws {
        let (n, q, m, steps) = (60, 0.5, 28, 20_000)
        let sampler = try TruncatedPoissonSampler(exampleCount: n, samplingProbability: q, maximumBatchSize: m)
        let history = BatchSamplerHistory(of: sampler, steps: steps)
        let sizes = history.batches.map(\.count)
        #expect(sizes.max() == m)
        #expect(history.batches.allSatisfy { Set($0).count == $0.count && $0 == $0.sorted() })
        // min(Bin(n, q), m).
        func hasTruncatedSizes(_ sizes: [Int]) -> Bool {
            let (of, probabilities) = CountStatistics.categories(upTo: m, trials: steps) {
                CountStatistics.binomial($0, trials: n, probability: q)
            }
            var counts = [Int](repeating: 0, count: probabilities.count)
            for size in sizes { counts[size < m ? of[size] : probabilities.count - 1] += 1 }
            return CountStatistics.isPlausible(counts, probabilities: probabilities)
        }
        #expect(hasTruncatedSizes(sizes))
        // Full batches are uniformly random subsets: each example is in m/n of them. Of n tests, one raises a false
        // alarm with at most n·10⁻⁶.
        func isFair(_ batches: [[Int]]) -> Bool {
            let full = BatchSamplerHistory(exampleCount: n, batches: batches.filter { $0.count == m })
            return (0..<n).allSatisfy {
                CountStatistics.isBinomial(
                    full.participations[$0], trials: full.batches.count, probability: Double(m) / Double(n))
            }
        }
        #expect(isFair(history.batches))
        // Control: keeping the first m.
        let plain = BatchSamplerHistory(of: try PoissonSampler(exampleCount: n, samplingProbability: q), steps: steps)
        #expect(!isFair(plain.batches.map { Array($0.prefix(m)) }))
        // Controls: no truncation, and one too few.
        #expect(!hasTruncatedSizes(plain.batches.map { min($0.count, m - 1) }))
        #expect(plain.batches.contains { $0.count > m })
    }
}
