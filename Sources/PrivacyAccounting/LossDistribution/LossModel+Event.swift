import Foundation

extension LossModel {
    /// Which side of the truth the model must lie on. They differ only where no exact dominating pair is known.
    enum Side {
        case upper, lower
    }

    /// The directions of `relation` for a composition; one where both have the same loss.
    /// - Throws: ``AccountingError/unsupported(event:relation:accountant:)``.
    static func directions(
        _ phases: Phases, relation: NeighboringRelation, side: Side
    ) throws(AccountingError) -> [LossModel] {
        var (forward, backward) = (LossModel(), LossModel())
        var isSymmetric = true
        func add(_ pair: some PrivacyLossPair, count: Int, isMirrored: Bool) {
            forward.components.append(Component(parts: [(1, pair)], count: count))
            backward.components.append(
                Component(parts: [(1, isMirrored ? pair : ReversedPair(base: pair))], count: count))
            isSymmetric = isSymmetric && isMirrored
        }
        let factor = relation.sensitivityFactor
        if phases.inverseGaussianVariance > 0 {
            let mu = factor * phases.inverseGaussianVariance.squareRoot()
            add(SampledGaussianPair(probability: 1, mu: mu), count: 1, isMirrored: true)
        }
        for phase in phases.phases {
            switch phase.mechanism {
            case .poissonGaussian(let q, let z) where relation == .replaceOne:
                add(ReplacedGaussianPair(probability: q, mu: 1 / z), count: phase.count, isMirrored: true)
            case .poissonGaussian(let q, let z):
                add(SampledGaussianPair(probability: q, mu: 1 / z), count: phase.count, isMirrored: false)
            case .laplace(let b):
                add(SampledLaplacePair(probability: 1, scale: b / factor), count: phase.count, isMirrored: true)
            case .truncatedGaussian(let n, let q, let m, let z) where relation != .addOrRemoveOne:
                let truncation = Truncation(datasetSize: n, probability: q, batch: m)
                if side == .lower || truncation.probability == 0 {
                    let effective = side == .lower ? truncation.participation : q
                    if relation == .replaceOne {
                        let pair = ReplacedGaussianPair(probability: effective, mu: 1 / z)
                        add(pair, count: phase.count, isMirrored: true)
                    } else {
                        let pair = SampledGaussianPair(probability: effective, mu: 1 / z)
                        add(pair, count: phase.count, isMirrored: false)
                    }
                    continue
                }
                let swap = ReplacedGaussianPair(probability: truncation.conditionalParticipation, mu: 2 / z)
                let (weight, rest) = (truncation.probability, 1 - truncation.probability)
                if relation == .replaceOne {
                    let parts: [(Double, any PrivacyLossPair)] = [
                        (rest, ReplacedGaussianPair(probability: q, mu: 1 / z)), (weight, swap),
                    ]
                    forward.components.append(Component(parts: parts, count: phase.count))
                    backward.components.append(Component(parts: parts, count: phase.count))
                } else {
                    let plain = SampledGaussianPair(probability: q, mu: 1 / z)
                    forward.components.append(
                        Component(parts: [(rest, plain), (weight, swap)], count: phase.count))
                    backward.components.append(
                        Component(parts: [(rest, ReversedPair(base: plain)), (weight, swap)], count: phase.count))
                    isSymmetric = false
                }
            default:
                throw .unsupported(
                    event: phase.mechanism.name, relation: relation,
                    accountant: PrivacyLossDistributionAccountant.name)
            }
        }
        return isSymmetric ? [forward] : [forward, backward]
    }
}

/// What truncating Poisson batches at m does to one record out of n (arXiv 2508.15089).
///
/// Let Y ~ Bin(n − 1, q) be how many of the *other* records are drawn. If Y < m nobody is dropped and the step is
/// plain Poisson sampling. If Y ≥ m the batch holds m records with or without ours: when ours is in, it has pushed
/// another one out, so the sum moves by up to 2C in either direction. Which of the two happened is treated as public,
/// which can only weaken privacy, and the pair with means ±2 covers a removed record, a zeroed one, and a replaced one.
struct Truncation {
    /// P(Y ≥ m).
    let probability: Double
    /// P(ours is in the batch | Y ≥ m) = P(Bin(n, q) > m)·m/n / P(Y ≥ m), by symmetry between records.
    let conditionalParticipation: Double
    /// P(ours is in the batch). With every other contribution zero the step *is* Poisson sampling at this rate, which
    /// gives the lower end of the bracket.
    let participation: Double

    init(datasetSize n: Int, probability q: Double, batch m: Int) {
        let others = BinomialTail.probability(atLeast: m, trials: n - 1, success: q)
        let overfull = BinomialTail.probability(atLeast: m + 1, trials: n, success: q)
        let kept = overfull * Double(m) / Double(n)
        probability = others
        conditionalParticipation = others > 0 ? min(1, kept / others) : 0
        participation = max(0, min(q, ((1 - others) * q + kept) * (1 - 1e-9)))
    }
}

/// Upper tails of the binomial distribution by summing outward from the largest term, all positive.
enum BinomialTail {
    static func probability(atLeast k: Int, trials n: Int, success q: Double) -> Double {
        if k <= 0 { return 1 }
        if k > n { return 0 }
        if q >= 1 { return 1 }
        let odds = q / (1 - q)
        let start = max(k, min(n, Int(Double(n + 1) * q)))
        let logTerm = logBinomial(Double(n), Double(start)) + Double(start) * log(q) + Double(n - start) * log1p(-q)
        let peak = exp(logTerm)
        var (sum, term) = (peak, peak)
        for j in stride(from: start, to: n, by: 1) {
            term *= Double(n - j) / Double(j + 1) * odds
            sum += term
            if term < sum * 1e-18 { break }
        }
        term = peak
        for j in stride(from: start, to: k, by: -1) {
            term *= Double(j) / Double(n - j + 1) / odds
            sum += term
            if term < sum * 1e-18 { break }
        }
        return min(1, sum)
    }
}
