import Foundation
import PrivacyMechanisms

extension ParticipationPattern {
    /// The logarithm of how much more likely observations are of a unit whose steps are chosen as this pattern says,
    /// than of one without any.
    ///
    /// Exact where steps of one unit do not overlap in what is observed; it treats what depends on the number of units
    /// as if it did not, and of several steps of one epoch their share of it. No bound rests on that: a score may be
    /// anything.
    ///
    /// - Parameter steps: for each step the same logarithm, of a unit that takes part in that step alone.
    func logLikelihood(_ steps: [Double]) -> Double {
        switch choice {
        case .eachStep(let probability):
            return steps.reduce(0) { $0 + Self.mixed($1, share: probability) }
        case .fixedSize(let size, let count, _):
            let share = min(1, Double(size) / Double(max(1, count)))
            return steps.reduce(0) { $0 + Self.mixed($1, share: share) }
        case .truncated(let probability, _, _, let period):
            return Self.turns(steps, separation: period, probability: probability, choices: 1)
        case .slots(_, let separation, let probability, let choices):
            return Self.turns(steps, separation: separation, probability: probability, choices: choices)
        case .epochs(let length, 1, true):
            return Self.logMean(
                (0..<min(length, steps.count)).map { place in
                    stride(from: place, to: steps.count, by: length).reduce(0) { $0 + steps[$1] }
                })
        case .epochs(let length, 1, false):
            return stride(from: 0, to: steps.count, by: length).reduce(0) {
                $0 + Self.logMean(Array(steps[$1..<min(steps.count, $1 + length)]))
            }
        case .epochs(let length, let participations, _):
            let share = min(1, Double(participations) / Double(max(1, length)))
            return steps.reduce(0) { $0 + Self.mixed($1, share: share) }
        }
    }

    /// Slots of `choices` steps begin every `separation` steps, and where the first begins is not known.
    private static func turns(
        _ steps: [Double], separation: Int, probability: Double, choices: Int
    ) -> Double {
        logMean(
            (0..<min(max(1, separation), steps.count)).map { begin in
                stride(from: begin, to: steps.count, by: max(1, separation)).reduce(0) { sum, slot in
                    sum + mixed(logMean(Array(steps[slot..<min(steps.count, slot + choices)])), share: probability)
                }
            })
    }

    /// log(1 − share + share·e^x).
    private static func mixed(_ x: Double, share: Double) -> Double {
        x > 0 ? x + log(share + (1 - share) * exp(-x)) : log1p(share * expm1(x))
    }

    /// log of the mean of e^x; 0 of none.
    private static func logMean(_ values: [Double]) -> Double {
        guard let most = values.max() else { return 0 }
        if values.count == 1 { return most }
        return most + log(values.reduce(0) { $0 + exp($1 - most) } / Double(values.count))
    }
}
