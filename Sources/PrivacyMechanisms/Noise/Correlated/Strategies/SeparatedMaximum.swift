/// The largest Σ x_i over at most k indices i, each two at least b apart, for x ≥ 0.
///
/// After r rounds f[i] is the answer for r indices that are not below i. O(k·n), with an error of k roundings upward
/// or downward.
func separatedMaximum(_ x: [Double], participations k: Int, separation b: Int) -> Double {
    var best = [Double](repeating: 0, count: x.count + b)
    for _ in 0..<k {
        // best[i + b] is of the round before as long as no index above i was written: so from below.
        for index in x.indices { best[index] = x[index] + best[index + b] }
        for index in x.indices.reversed() { best[index] = max(best[index], best[index + 1]) }
    }
    return best[0]
}
