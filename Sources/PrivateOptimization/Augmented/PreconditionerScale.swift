import GradientTransformations
import LinearAlgebra
import PyTrees

/// s = 1 / (√(max(v, floor) + εᵣ) + ε), each operation rounded once to Float32, in this order.
public struct PreconditionerScale: Sendable {
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

    /// The formula for the two factors of a scale, those of a moment v = a·b: with the roots of floor, εᵣ and ε.
    var ofHalves: PreconditionerScale {
        PreconditionerScale(
            epsilon: epsilon.squareRoot(), epsilonRoot: epsilonRoot.squareRoot(), floor: floor.squareRoot())
    }

    /// Writes the scale of `moments` to `scale`, from `begin` on, and returns whether it is positive and finite.
    func write(_ moments: ArraySlice<Float>, to scale: inout ParameterVector, at begin: Int) -> Bool {
        scale.withUnsafeMutableValues { scale in
            moments.withUnsafeBufferPointer { moments in
                guard let scale = scale.baseAddress, let moment = moments.baseAddress else { return true }
                return write(moment, count: moments.count, into: scale + begin)
            }
        }
    }

    /// The scale of `moments`, and whether it is positive and finite.
    func values(_ moments: ArraySlice<Float>) -> (scale: [Float], isValid: Bool) {
        var scale = [Float](repeating: 0, count: moments.count)
        let isValid = moments.withUnsafeBufferPointer { moments in
            guard let moment = moments.baseAddress else { return true }
            return write(moment, count: moments.count, into: &scale)
        }
        return (scale, isValid)
    }
}
