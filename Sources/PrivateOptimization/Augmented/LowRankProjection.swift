import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// Projects the gradients of matrices to a low rank before they are clipped, so that noise is added to fewer numbers.
///
///     T(G) = QᵀG (or GQ),  T⁻¹(Y) = QY (or YQᵀ),  QᵀQ = I
///
/// The base optimizer takes T⁻¹ of the noisy gradient, in the layout of the parameters. With noise of one standard
/// deviation per element, an m × n leaf gets r/m of the noise's energy, at the price of what lies outside the span; a
/// basis that is refreshed sees, over time, all directions.
///
///     let optimizer = try LowRankProjection(adam(learningRate: 1e-3), rank: 8, refreshEvery: 50, seed: 1)
///
/// Q is the orthonormal factor of a Gaussian matrix. Source: arXiv 2403.03507, section 3 (projection of gradients and
/// its refresh); arXiv 2106.09352 (low rank in private training).
///
/// **Guarantee:** the basis depends on the seed and the number of the step alone, never on gradients, so that it may be
/// as public as the seed is. Clipping and noise happen in the projected space.
public struct LowRankProjection<Base: GradientTransformation>: AugmentedGradientTransformation {
    /// `low_rank_projection(…)`.
    public static var identifier: String { "low_rank_projection(\(Base.identifier))" }

    /// What takes the noisy gradient, after it was mapped back.
    public let base: Base

    /// The smaller side of projected leaves, at least 1.
    public let rank: Int

    /// After how many steps a new basis is drawn; nil for never.
    public let refreshEvery: Int?

    /// What the bases are drawn from. Public: it need not be kept secret.
    public let seed: UInt64

    /// Throws `invalidHyperparameter` if `rank` or `refreshEvery` is below 1.
    public init(
        _ base: Base, rank: Int, refreshEvery: Int? = nil, seed: UInt64
    ) throws(GradientTransformationError) {
        guard rank >= 1 else {
            throw .invalidHyperparameter(name: "rank", value: Double(rank), allowed: "at least 1")
        }
        if let refreshEvery, refreshEvery < 1 {
            throw .invalidHyperparameter(name: "refreshEvery", value: Double(refreshEvery), allowed: "at least 1")
        }
        self.base = base
        self.rank = rank
        self.refreshEvery = refreshEvery
        self.seed = seed
    }

    /// The base's state and the bases in use.
    public struct State: Codable, Sendable {
        /// The base's state, in the layout of the parameters.
        public var base: Base.State

        /// The number of steps taken.
        public internal(set) var steps = 0

        /// The bases, each `longer side × rank`, at the paths of the leaves that are projected.
        public internal(set) var bases: ParameterVector
    }

    /// The base's state and the first bases. Throws `invalidHyperparameter` if no leaf is a matrix with both sides
    /// longer than the rank.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> State {
        let layout = LowRankTransform.basisLayout(for: parameters.layout, rank: rank)
        if layout.leaves.isEmpty {
            let sides = parameters.layout.leaves.filter { $0.shape.count == 2 }.map { min($0.shape[0], $0.shape[1]) }
            throw .invalidHyperparameter(
                name: "rank", value: Double(rank),
                allowed: sides.max().map { "at least 1 and below \($0), the smaller side of the largest matrix" }
                    ?? "used with at least one leaf of two dimensions")
        }
        var state = State(base: try base.initialState(for: parameters), bases: ParameterVector(zeros: layout))
        drawBases(of: &state)
        return state
    }

    /// The projection to the bases in use.
    public func preClippingTransform(
        for state: State, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> LowRankTransform {
        LowRankTransform(parameterLayout: layout, rank: rank, bases: state.bases)
    }

    /// Maps the noisy, projected gradient back, and updates by the base.
    public func update(
        _ gradient: consuming TransformedGradient<LowRankTransform>, state: inout State, parameters: ParameterVector
    ) -> ParameterVector {
        let updates = gradient.updates(for: parameters) { base.join(&$0, state: &state.base, then: $1) }
        finishStep(&state)
        return updates
    }

    /// Maps the noisy, projected gradient back, and steps by the base.
    public func step(
        _ gradient: consuming TransformedGradient<LowRankTransform>, state: inout State,
        parameters: inout ParameterVector
    ) {
        gradient.step(&parameters) { base.join(&$0, state: &state.base, then: $1) }
        finishStep(&state)
    }

    private func finishStep(_ state: inout State) {
        state.steps += 1
        if let refreshEvery, state.steps % refreshEvery == 0 { drawBases(of: &state) }
    }

    private func drawBases(of state: inout State) {
        let refresh = refreshEvery.map { UInt64(state.steps / $0) } ?? 0
        // An odd constant, so that neighbouring seeds do not share their bases.
        var normals = GaussianNoise(nonPrivateSeed: seed &+ refresh &* 0x9e37_79b9_7f4a_7c15)
        for leaf in state.bases.layout.leaves {
            var matrix = Matrix(rows: leaf.shape[0], columns: leaf.shape[1])
            matrix.withMutableRows(0..<matrix.rows) { normals.fill(&$0) }
            let basis = matrix.orthonormalizedColumns()
            state.bases.withUnsafeMutableValues { bases in
                basis.withUnsafeElements {
                    _ = UnsafeMutableBufferPointer(rebasing: bases[leaf.range]).update(fromContentsOf: $0)
                }
            }
        }
    }
}

extension LowRankProjection: Equatable where Base: Equatable {}
extension LowRankProjection: Decodable where Base: Decodable {}
extension LowRankProjection: Encodable where Base: Encodable {}
