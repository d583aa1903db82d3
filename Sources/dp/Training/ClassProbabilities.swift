import Foundation

/// What a classifier's scores say about how probable each class is.
struct ClassProbabilities {
    /// A probability for each class; their sum is 1, up to rounding.
    let values: [Double]

    /// Of several scores s, class c has exp(s_c) / Σ exp(s), which is softmax; of a single one, class 1 has
    /// 1 / (1 + exp(−s)), and class 0 the rest. Computed in Float64, and for scores of any size.
    init(scores: [Float]) {
        // A single score is that of class 1 against 0.
        let scores = scores.count == 1 ? [0, Double(scores[0])] : scores.map { Double($0) }
        let largest = scores.max() ?? 0
        let weights = scores.map { exp($0 - largest) }
        let sum = weights.reduce(0, +)
        values = weights.map { $0 / sum }
    }
}
