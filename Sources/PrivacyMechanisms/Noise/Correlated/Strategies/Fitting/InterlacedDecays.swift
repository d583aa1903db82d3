import Foundation

/// The decays θ of a BLT and θ̂ of its inverse as a function of numbers that may be anything.
///
/// A BLT has positive weights, and an inverse with decays in (0, 1) and negative weights, if and only if
/// 1 > θ₁ > θ̂₁ > θ₂ > θ̂₂ > … > 0. Σω < 1 follows, as Σω = Σ(θ_j − θ̂_j). So gaps q = 1 − θ₁, 1 − θ̂₁, 1 − θ₂, … are
/// an increasing sequence in (0, 1): q_i = σ(x_i) q_{i+1}, and the last is σ(x). What barriers would keep inside cannot
/// get out, and decays near 1 are on a logarithmic scale.
struct InterlacedDecays {
    /// q.
    let gaps: [Double]

    /// Of numbers x.
    init(_ x: [Double]) {
        var gaps = x
        var gap = 1.0
        for index in x.indices.reversed() {
            gap /= 1 + exp(-x[index])
            gaps[index] = gap
        }
        self.gaps = gaps
    }

    /// The numbers x of gaps in geometric progression.
    static func start(buffers: Int, steps: Int) -> [Double] {
        let (least, most, count) = (min(0.1, 5 / Double(steps)), 0.25, 2 * buffers)
        let ratio = pow(least / most, 1 / Double(count - 1))
        return (0..<count).map { index in
            let share = index == count - 1 ? most : ratio
            return log(share / (1 - share))
        }
    }

    /// θ.
    var decays: [Double] { stride(from: 0, to: gaps.count, by: 2).map { 1 - gaps[$0] } }

    /// ω_i = Π_j(θ_i − θ̂_j) / Π_{j≠i}(θ_i − θ_j), of differences of gaps, which are exact where decays are near 1.
    var weights: [Double] {
        stride(from: 0, to: gaps.count, by: 2).map { i in
            var product = 1.0
            for j in stride(from: 0, to: gaps.count, by: 2) {
                product *= gaps[j + 1] - gaps[i]
                if j != i { product /= gaps[j] - gaps[i] }
            }
            return product
        }
    }

    /// The gradient by x, of gradients by θ and ω.
    func gradient(byDecays: [Double], byWeights: [Double], at x: [Double]) -> [Double] {
        let weights = weights
        var byGaps = [Double](repeating: 0, count: gaps.count)
        for (place, i) in stride(from: 0, to: gaps.count, by: 2).enumerated() {
            byGaps[i] -= byDecays[place]
            let slope = byWeights[place] * weights[place]
            for j in stride(from: 0, to: gaps.count, by: 2) {
                // ∂log ω_i by the gap of θ̂_j, of θ_j and of θ_i.
                let paired = 1 / (gaps[j + 1] - gaps[i])
                byGaps[j + 1] += slope * paired
                byGaps[i] -= slope * paired
                if j == i { continue }
                let own = 1 / (gaps[j] - gaps[i])
                byGaps[j] -= slope * own
                byGaps[i] += slope * own
            }
        }
        // q_i depends on x_j for all j ≥ i: ∂q_i/∂x_j = q_i(1 − σ(x_j)).
        var sum = 0.0
        return x.indices.map { index in
            sum += byGaps[index] * gaps[index]
            return sum / (1 + exp(x[index]))
        }
    }
}
