@testable import PrivacyMechanisms

/// The sensitivity of a small matrix by its definition: every set of steps, and every sign of every contribution. Signs
/// are the worst directions: the norm is convex in each contribution.
struct ParticipationTable {
    /// For every set of steps: the steps, and the largest norm of Σ ±C[:, i] over them.
    private let entries: [(steps: [Int], norm: Double)]

    /// Of the leading t × t block.
    init(_ matrix: [[Double]], steps t: Int) {
        entries = (1..<1 << t).map { mask in
            let steps = (0..<t).filter { mask >> $0 & 1 == 1 }
            var largest = 0.0
            for signs in 0..<1 << (steps.count - 1) {
                var square = 0.0
                for row in matrix.prefix(t) {
                    var sum = 0.0
                    for (place, step) in steps.enumerated() { sum += signs >> place & 1 == 1 ? -row[step] : row[step] }
                    square += sum * sum
                }
                largest = max(largest, square)
            }
            return (steps, largest.squareRoot())
        }
    }

    func sensitivity(participations k: Int, separation b: Int) -> Double {
        let allowed = entries.filter { entry in
            entry.steps.count <= k && zip(entry.steps, entry.steps.dropFirst()).allSatisfy { $1 - $0 >= b }
        }
        return allowed.map(\.norm).max() ?? 0
    }

    func epochSensitivity(length: Int) -> Double {
        let allowed = entries.filter { entry in entry.steps.allSatisfy { ($0 - entry.steps[0]) % length == 0 } }
        return allowed.map(\.norm).max() ?? 0
    }
}
