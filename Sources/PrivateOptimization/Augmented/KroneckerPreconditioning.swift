import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// Multiplies the gradients of matrices by inverse roots of their running second moments before they are clipped.
///
///     L ← β L + (1 − β) ĝĝᵀ,  R ← β R + (1 − β) ĝᵀĝ            per m × n leaf, ĝ the noisy gradient
///     T(G) = (L + δI)^(−p) G (R + δI)^(−p),  T⁻¹(Y) = (L + δI)^p Y (R + δI)^p
///
/// The roots come from the eigenvectors of L and R, every `refreshEvery` steps; until the first refresh T is the
/// identity. Leaves that are not matrices, or have a side longer than `maximumSide`, stay as they are. L or R that
/// noise has driven to infinity are passed over: the leaf keeps its last roots. Where ``ScaleThenPrivatize`` scales
/// coordinates, this one also mixes them. The base optimizer takes T⁻¹ of the noisy gradient.
///
///     let optimizer = try KroneckerPreconditioning(sgd(learningRate: 0.1), damping: 1e-3)
///
/// Source: arXiv 1802.09568, algorithm 1 (p = 1/4), with running means in place of sums.
///
/// **Guarantee:** L and R are made of privatized gradients alone, after clipping and noise; they, and the transform
/// made of them, are post-processing of what earlier steps released.
public struct KroneckerPreconditioning<Base: GradientTransformation>: AugmentedGradientTransformation {
    /// `kronecker_preconditioning(…)`.
    public static var identifier: String { "kronecker_preconditioning(\(Base.identifier))" }

    /// What takes the noisy gradient, after it was mapped back.
    public let base: Base

    /// How much of L and R stays from step to step, β in [0, 1).
    @Hyperparameter<Decay> public var decay: Double

    /// What is added to eigenvalues, δ > 0. T stretches nothing by more than δ^(−2p).
    @Hyperparameter<Positive> public var damping: Double

    /// The root p > 0.
    @Hyperparameter<Positive> public var power: Double

    /// After how many steps the roots are made anew, at least 1.
    public let refreshEvery: Int

    /// The longest side of a leaf that is transformed, at least 1: a refresh takes some 10 · side³ operations.
    public let maximumSide: Int

    /// Throws `invalidHyperparameter` if a number lies outside its range.
    public init(
        _ base: Base, decay: Double = 0.95, damping: Double = 1e-4, power: Double = 0.25, refreshEvery: Int = 1,
        maximumSide: Int = 1024
    ) throws(GradientTransformationError) {
        self.base = base
        _decay = try Hyperparameter(decay, "decay")
        _damping = try Hyperparameter(damping, "damping")
        _power = try Hyperparameter(power, "power")
        for (name, value) in [("refreshEvery", refreshEvery), ("maximumSide", maximumSide)] where value < 1 {
            throw .invalidHyperparameter(name: name, value: Double(value), allowed: "at least 1")
        }
        self.refreshEvery = refreshEvery
        self.maximumSide = maximumSide
    }

    /// The base's state, the second moments and their roots.
    public struct State: Codable, Sendable {
        /// The base's state.
        public var base: Base.State

        /// The number of steps taken.
        public internal(set) var steps = 0

        /// L and R of each leaf, at `leaf/left` and `leaf/right`.
        public internal(set) var secondMoments: ParameterVector

        /// (L + δI)^(−p) and (R + δI)^(−p), in the same layout.
        public internal(set) var factors: ParameterVector

        /// (L + δI)^p and (R + δI)^p, in the same layout.
        public internal(set) var inverses: ParameterVector
    }

    /// The base's state, second moments of zero, and the identity for roots.
    ///
    /// Throws `invalidHyperparameter` if no leaf is a matrix whose sides are at most `maximumSide`.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> State {
        let layout = KroneckerTransform.factorLayout(for: parameters.layout, maximumSide: maximumSide)
        if layout.leaves.isEmpty {
            let longest = parameters.layout.leaves.filter { $0.shape.count == 2 }.map { max($0.shape[0], $0.shape[1]) }
            throw .invalidHyperparameter(
                name: "maximumSide", value: Double(maximumSide),
                allowed: longest.min().map { "at least \($0), the longer side of the smallest matrix" }
                    ?? "used with at least one leaf of two dimensions")
        }
        var identity = ParameterVector(zeros: layout)
        identity.withUnsafeMutableValues { values in
            for leaf in layout.leaves {
                for index in 0..<leaf.shape[0] { values[leaf.range.lowerBound + index * (leaf.shape[0] + 1)] = 1 }
            }
        }
        return State(
            base: try base.initialState(for: parameters), secondMoments: ParameterVector(zeros: layout),
            factors: identity, inverses: identity)
    }

    /// The roots in use.
    public func preClippingTransform(
        for state: State, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> KroneckerTransform {
        KroneckerTransform(parameterLayout: layout, factors: state.factors, inverses: state.inverses)
    }
}

extension KroneckerPreconditioning: Equatable where Base: Equatable {}
extension KroneckerPreconditioning: Decodable where Base: Decodable {}
extension KroneckerPreconditioning: Encodable where Base: Encodable {}
