import PrivacyMechanisms

/// How an attack makes one score of what it saw of a canary in all steps.
public enum CanaryScoring: String, CaseIterable, Hashable, Sendable {
    /// The logarithm of the likelihood ratio of a canary that takes part to one that does not, under the plan's own
    /// sampling and noise: above 0 where it is rather in. Up to the simplifications of
    /// `ParticipationPattern.logLikelihood`, no score tells the two further apart if the run does as its plan says.
    case likelihoodRatio = "likelihood-ratio"
    /// The largest difference between two steps in a row. Of independent noise it tells little; of noise that is used
    /// twice, everything.
    case repeatedNoise = "repeated-noise"
}

/// What is known of how sums in a canary's direction came about: in units in which Δ is 1.
struct ObservationModel {
    let pattern: ParticipationPattern
    /// C, a block of it: what noise is divided by. Nil for independent noise.
    let strategy: [[Double]]?
    /// The noise's standard deviation, before it is divided by C.
    let deviation: Double
    /// What a canary contributes in each of its steps if it is not in: 0, or −1 where it is replaced.
    let excluded: Double

    /// A canary's score.
    ///
    /// - Parameters:
    ///   - sums: what was seen of it in each step.
    ///   - amplitude: what it contributes in each of its steps if it is in.
    func score(_ sums: [Double], amplitude: Double, by scoring: CanaryScoring) -> Double {
        switch scoring {
        case .repeatedNoise:
            return zip(sums, sums.dropFirst()).reduce(0) { max($0, abs($1.1 - $1.0)) }
        case .likelihoodRatio:
            let seen = matched(sums)
            func logLikelihood(_ contribution: Double) -> Double {
                if contribution == 0 { return 0 }
                // Without noise, a number that is as good as none.
                let variance = max(deviation * deviation, 1e-12)
                return pattern.logLikelihood(
                    seen.map { (2 * contribution * $0.product - contribution * contribution * $0.squaredNorm) }
                        .map { $0 / (2 * variance) })
            }
            return logLikelihood(amplitude) - logLikelihood(excluded * amplitude)
        }
    }

    /// For each step ⟨C·sums, c⟩ and ‖c‖², c the step's column of C: noise is independent in C·sums.
    private func matched(_ sums: [Double]) -> [(product: Double, squaredNorm: Double)] {
        guard let strategy else { return sums.map { ($0, 1) } }
        var result: [(Double, Double)] = []
        for begin in stride(from: 0, to: sums.count, by: strategy.count) {
            let block = sums[begin..<min(sums.count, begin + strategy.count)]
            let whitened = (0..<block.count).map { row in
                (0...row).reduce(0) { $0 + strategy[row][$1] * block[begin + $1] }
            }
            for column in 0..<block.count {
                var (product, squares) = (0.0, 0.0)
                for row in column..<block.count {
                    product += strategy[row][column] * whitened[row]
                    squares += strategy[row][column] * strategy[row][column]
                }
                result.append((product, squares))
            }
        }
        return result
    }
}
