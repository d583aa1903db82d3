import GradientTransformations
import LinearAlgebra

/// s = 1 / (√(max(v, floor) + εᵣ) + ε), each operation rounded once to Float32, in this order.
struct PreconditionerScale {
    let epsilon: Float
    let epsilonRoot: Float
    let floor: Float

    /// Below this many elements a second thread costs more to wake than it saves.
    private static let elementsPerThread = 1 << 16

    /// Writes the scale, and returns whether every element of it is positive and finite.
    func write(_ moment: UnsafePointer<Float>, count: Int, into scale: UnsafeMutablePointer<Float>) -> Bool {
        let team = max(1, min(count / Self.elementsPerThread, Threads.limit))
        return withUnsafeTemporaryAllocation(of: Bool.self, capacity: team) { valid in
            valid.initialize(repeating: true)
            Threads.withTeam(of: team) { member in
                let share = member.share(of: 0..<count)
                valid[member.index] =
                    Kernels.active.inverse_root(
                        floor, epsilonRoot, epsilon, share.count, moment + share.lowerBound,
                        scale + share.lowerBound) != 0
            }
            return valid.allSatisfy { $0 }
        }
    }
}
