import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// The transform that projects matrices to a smaller space: G ↦ QᵀG or G ↦ GQ, with orthonormal columns in Q.
///
/// The longer side of each leaf of two dimensions is projected, if both are longer than the rank: an m × n leaf becomes
/// rank × n where m ≥ n, and m × rank otherwise. All other leaves stay as they are. The inverse is Q· or ·Qᵀ: exact on
/// the span of Q, and the projection of the gradient onto it in general.
///
/// **Guarantee:** an example's image is a function of its gradient and the bases, in every bit: every element is a
/// chain of products in a fixed order.
public struct LowRankTransform: GeneralTransform, Hashable {
    /// The layout of the gradients before.
    public let parameterLayout: TreeLayout

    /// The layout of the gradients after: the same paths.
    public let transformedLayout: TreeLayout

    /// The bases Q, each `longer side × rank`, at the paths of the leaves that are projected.
    public let bases: ParameterVector

    private let maps: [LeafMap]

    /// One leaf's part of the map; m × n is the leaf's shape, r the rank.
    private enum LeafMap: Hashable {
        case copy(from: Int, to: Int, count: Int)
        case left(from: Int, to: Int, basis: Int, m: Int, n: Int, r: Int)
        case right(from: Int, to: Int, basis: Int, m: Int, n: Int, r: Int)
    }

    /// Whether a leaf is projected to `rank`.
    static func isProjected(_ leaf: TreeLayout.Leaf, rank: Int) -> Bool {
        leaf.shape.count == 2 && leaf.shape[0] > rank && leaf.shape[1] > rank
    }

    /// The layout of the bases for a projection to `rank`.
    static func basisLayout(for layout: TreeLayout, rank: Int) -> TreeLayout {
        TreeLayout(
            checked: layout.leaves.filter { isProjected($0, rank: rank) }.map {
                (path: $0.path, shape: [max($0.shape[0], $0.shape[1]), rank])
            })
    }

    /// Traps unless `bases` has the layout for `rank`.
    init(parameterLayout: TreeLayout, rank: Int, bases: ParameterVector) {
        require(
            bases.layout == Self.basisLayout(for: parameterLayout, rank: rank),
            "Bases of layout\n\(bases.layout)\ndo not project gradients of\n\(parameterLayout)\nto rank \(rank).")
        self.parameterLayout = parameterLayout
        self.bases = bases
        transformedLayout = TreeLayout(
            checked: parameterLayout.leaves.map { leaf in
                guard Self.isProjected(leaf, rank: rank) else { return (path: leaf.path, shape: leaf.shape) }
                let (m, n) = (leaf.shape[0], leaf.shape[1])
                return (path: leaf.path, shape: m >= n ? [rank, n] : [m, rank])
            })
        maps = zip(parameterLayout.leaves, transformedLayout.leaves).map { leaf, image in
            let (from, to) = (leaf.range.lowerBound, image.range.lowerBound)
            guard let basis = bases.layout[leaf.path]?.range.lowerBound else {
                return .copy(from: from, to: to, count: leaf.range.count)
            }
            let (m, n) = (leaf.shape[0], leaf.shape[1])
            return m >= n
                ? .left(from: from, to: to, basis: basis, m: m, n: n, r: rank)
                : .right(from: from, to: to, basis: basis, m: m, n: n, r: rank)
        }
    }

    /// Projects one gradient. Traps if either has another number of elements than its layout.
    ///
    /// - Complexity: 2·m·n·rank operations for each matrix leaf.
    public func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        preconditionMaps(gradient.count, to: transformed.count)
        gradient.withUnsafeBufferPointer { gradient in
            transformed.withUnsafeMutableBufferPointer { transformed in
                bases.withUnsafeValues { bases in
                    guard let gradient = gradient.baseAddress, let transformed = transformed.baseAddress else { return }
                    project(gradient, bases.baseAddress ?? gradient, into: transformed)
                }
            }
        }
    }

    private func project(
        _ row: UnsafePointer<Float>, _ bases: UnsafePointer<Float>, into image: UnsafeMutablePointer<Float>
    ) {
        for map in maps {
            switch map {
            case .copy(let from, let to, let count):
                (image + to).update(from: row + from, count: count)
            case .left(let from, let to, let basis, let m, let n, let r):
                RowwiseProduct.multiplyOnThisThread(
                    rows: r, columns: n, inner: m, StridedMatrix(bases + basis, stride: r).transposed,
                    StridedMatrix(row + from, stride: n), into: image + to)
            case .right(let from, let to, let basis, let m, let n, let r):
                RowwiseProduct.multiplyOnThisThread(
                    rows: m, columns: r, inner: n, StridedMatrix(row + from, stride: n),
                    StridedMatrix(bases + basis, stride: r), into: image + to)
            }
        }
    }

    /// Maps back into the span of the bases. Traps if the vector has another layout.
    public func inverse(_ transformed: ParameterVector) -> ParameterVector {
        preconditionTransformedLayout(transformed.layout)
        var result = ParameterVector(zeros: parameterLayout)
        result.withUnsafeMutableValues { result in
            transformed.withUnsafeValues { image in
                bases.withUnsafeValues { bases in
                    guard let result = result.baseAddress, let image = image.baseAddress else { return }
                    lift(image, bases.baseAddress ?? image, into: result)
                }
            }
        }
        return result
    }

    private func lift(
        _ image: UnsafePointer<Float>, _ bases: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>
    ) {
        for map in maps {
            switch map {
            case .copy(let from, let to, let count):
                (result + from).update(from: image + to, count: count)
            case .left(let from, let to, let basis, let m, let n, let r):
                BLAS.product(rows: m, columns: n, inner: r, bases + basis, .none, image + to, .none, result + from)
            case .right(let from, let to, let basis, let m, let n, let r):
                BLAS.product(
                    rows: m, columns: n, inner: r, image + to, .none, bases + basis, .transposed, result + from)
            }
        }
    }
}
