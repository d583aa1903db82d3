import CPrivacyKernels
import LinearAlgebra
import PyTrees
import Requirements

/// A noised sum of clipped gradients, still in the space of the transform that was applied before clipping.
///
/// It is private, and may be looked at and published. It is not a gradient of the parameters: only an optimizer that
/// takes transformed gradients, or ``inverted()``, takes it, and either takes it away. A gradient can therefore be
/// neither stepped with before the transform is undone nor undone twice.
///
/// **Guarantee:** the transform that is undone is the one that was applied: the two travel together.
public struct TransformedGradient<Transform: PreClippingTransform>: ~Copyable {
    /// The transform T that was applied to every example's gradient.
    public let transform: Transform

    /// The form that was clipped and noised under: one that changed its mind since then would undo something else.
    private let form: TransformForm
    private let memory: GradientMemory
    /// The ranks, each of which has only its share of the columns; nil for a gradient that is whole.
    package let scattered: Ranks?

    init(_ memory: GradientMemory, transform: Transform, form: TransformForm, scattered: Ranks? = nil) {
        self.memory = memory
        self.transform = transform
        self.form = form
        self.scattered = scattered
    }

    /// A gradient that did not come out of noise: for tests and measurements.
    package init(_ vector: ParameterVector, transform: Transform) {
        require(
            vector.layout == transform.transformedLayout,
            "A vector of layout\n\(vector.layout)\nis not in the transformed space\n\(transform.transformedLayout)")
        self.init(GradientMemory(vector), transform: transform, form: transform.form)
    }

    /// The noised sum y, in the transformed layout.
    public var vector: ParameterVector {
        requireWhole()
        return memory.vector
    }

    /// T⁻¹(y): the gradient in the space of the parameters.
    public consuming func inverted() -> PrivateGradient {
        requireWhole()
        let inversion = inversion()
        inversion.divisor?.divide(&inversion.memory.vector)
        return PrivateGradient(inversion.memory)
    }

    /// The one inverse. A division is left to whoever takes the gradient on, who does it in the same trip through
    /// memory as what comes after; any other inverse has been taken.
    package consuming func inversion() -> GradientInversion {
        switch form {
        case .identity: return GradientInversion(memory: memory, divisor: nil)
        case .diagonal(let scale):
            requireWhole()
            return GradientInversion(memory: memory, divisor: .elements(scale))
        case .rankOne(let map):
            requireWhole()
            return GradientInversion(memory: memory, divisor: .rankOne(map))
        case .general(let map):
            requireWhole()
            let inverse = map.inverse(memory.vector)
            require(
                inverse.layout == map.parameterLayout,
                "An inverse of layout\n\(inverse.layout)\nis not a gradient of\n\(map.parameterLayout)")
            return GradientInversion(memory: GradientMemory(inverse), divisor: nil)
        }
    }

    private func requireWhole() {
        require(
            scattered == nil, "A gradient of which each rank has its share of the columns was asked for as a whole.")
    }
}

/// A noised gradient in the space of the parameters: private, and what any ordinary optimizer takes.
public struct PrivateGradient: ~Copyable {
    private let memory: GradientMemory

    init(_ memory: GradientMemory) { self.memory = memory }

    /// The gradient ĝ, in the layout of the parameters.
    public var vector: ParameterVector { memory.vector }

    /// The gradient ĝ as a tree like `parameters`. Traps if they have another layout.
    public func tree<Tree: PyTree>(like parameters: Tree) -> Tree { parameters.holding(vector) }
}

/// What is left of an inverse: a vector, and what it is still to be divided by.
package struct GradientInversion: ~Copyable {
    package let memory: GradientMemory
    package let divisor: GradientDivisor?
}

/// What an inverse divides by.
package enum GradientDivisor {
    /// A number for each element.
    case elements(ParameterVector)
    /// The scale of a transform of rank one.
    case rankOne(RankOneTransform)

    func divide(_ vector: inout ParameterVector) {
        let divide = dpk_active_kernels().pointee.optimizers.pointee.divide
        let count = vector.count
        vector.withUnsafeMutableValues { values in
            guard let values = values.baseAddress else { return }
            // Members write disjoint parts.
            nonisolated(unsafe) let target = values
            Threads.withTeam(of: count / Threads.workPerThread(1 << 17)) { member in
                let part = member.share(of: 0..<count)
                switch self {
                case .elements(let divisor):
                    divisor.withUnsafeValues {
                        divide($0.baseAddress! + part.lowerBound, part.count, target + part.lowerBound)
                    }
                case .rankOne(let map): map.divide(target + part.lowerBound, part)
                }
            }
        }
    }
}

/// The memory of one gradient, which a workspace hands out again once nobody else holds it.
package final class GradientMemory: @unchecked Sendable {
    // Sendable is unchecked because one owner, which cannot be copied, reads and writes it at a time. The workspace
    // only asks whether there is such an owner.
    package var vector: ParameterVector

    init(_ vector: ParameterVector) { self.vector = vector }
}
