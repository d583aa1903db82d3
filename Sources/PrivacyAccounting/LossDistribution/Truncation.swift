/// What truncating Poisson batches at m does to one record out of n (arXiv 2508.15089).
///
/// Let Y ~ Bin(n − 1, q) be how many of the *other* records are drawn. If Y < m nobody is dropped and the step is
/// plain Poisson sampling. If Y ≥ m the batch holds m records with or without ours: when ours is in, it has pushed
/// another one out, so the sum moves by up to 2C in either direction. Which of the two happened is treated as public,
/// which can only weaken privacy, and the pair with means ±2 covers a removed record, a zeroed one, and a replaced one.
///
/// **Guarantee:** every number errs on the side that is safe for its use. With δ₀ and δ_q′ those of the two pairs, a
/// step has
///
///     δ(ε) = P(Y < m)·δ₀(ε) + P(Y ≥ m)·δ_q′(ε)
///
/// - Both weights may only be too large. Then the loss has a larger measure everywhere, and so has every composition;
///   that the weights sum to slightly more than 1 does no harm. δ_q′ may be below δ₀, so that a larger P(Y ≥ m) with
///   1 − P(Y ≥ m) beside it would not be safe.
/// - q′ may only be too large: Poisson sampling at a rate a < b is sampling at b, then keeping the outcome with
///   probability a/b, and δ is jointly convex. Hence the numerator is rounded up and the denominator down.
/// - For a lower end, the rate of participation may only be too small.
struct Truncation {
    /// P(Y ≥ m), at least.
    let probability: Double
    /// P(Y < m), at least.
    let spareProbability: Double
    /// q′ = P(ours is in the batch | Y ≥ m) = P(Bin(n, q) > m)·m/n / P(Y ≥ m), at least, by symmetry between records.
    /// Never above q: given Y = y ≥ m it is q·m/(y + 1).
    let conditionalParticipation: Double
    /// P(ours is in the batch), at most. With every other contribution zero the step *is* Poisson sampling at this
    /// rate, which gives the lower end of the bracket.
    let participation: Double

    init(datasetSize n: Int, probability q: Double, batch: Int) {
        let m = min(batch, n)
        let full = BinomialProbability(from: m, through: n - 1, trials: n - 1, success: q)
        let spare = BinomialProbability(from: 0, through: m - 1, trials: n - 1, success: q)
        let overfull = BinomialProbability(from: m + 1, through: n, trials: n, success: q)
        // Five roundings at most in what follows.
        let (down, up) = (1 - 0x1p-50, 1 + 0x1p-50)
        let share = Double(m) / Double(n)
        probability = full.upper
        spareProbability = spare.upper
        conditionalParticipation = full.lower > 0 ? min(q, overfull.upper * share / full.lower * up) : q
        participation = max(0, min(q, (spare.lower * q + overfull.lower * share) * down))
    }
}
