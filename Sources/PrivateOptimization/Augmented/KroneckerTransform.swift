import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// The transform that multiplies matrices from both sides: G ↦ A·G·B, with symmetric, invertible A and B per leaf.
///
/// Leaves without such a pair stay as they are. The inverse is A⁻¹·Y·B⁻¹, with inverses that were made beside A and B
/// from the same eigenvectors: they agree to the Float32 rounding error times the condition numbers.
///
/// **Guarantee:** an example's image is a function of its gradient and of A and B, in every bit: every element is a
/// chain of products in a fixed order. Factored gradients stay factored, A·(a eᵀ)·B = (A a)(B e)ᵀ, and their factors
/// are mapped by such chains, too.
public struct KroneckerTransform: GeneralTransform, Hashable {
    /// The layout of the gradients, on both sides.
    public let parameterLayout: TreeLayout

    /// A and B of each leaf that has them, at `leaf/left` (m × m) and `leaf/right` (n × n).
    public let factors: ParameterVector

    /// Their inverses, in the same layout.
    public let inverses: ParameterVector

    let maps: [LeafMap]

    struct LeafMap: Hashable {
        let columns: Range<Int>
        let m: Int
        let n: Int
        /// Where A and B begin; nil where the leaf stays as it is.
        let left: Int?
        let right: Int?
    }

    /// Whether a leaf has factors, where sides of more than `maximumSide` are too long.
    static func hasFactors(_ leaf: TreeLayout.Leaf, maximumSide: Int) -> Bool {
        leaf.shape.count == 2 && !leaf.range.isEmpty && leaf.shape.allSatisfy { $0 <= maximumSide }
    }

    /// The layout of the factors.
    static func factorLayout(for layout: TreeLayout, maximumSide: Int) -> TreeLayout {
        TreeLayout(
            checked: layout.leaves.filter { hasFactors($0, maximumSide: maximumSide) }.flatMap { leaf in
                zip(["left", "right"], leaf.shape).map { (path: leaf.path.appending($0), shape: [$1, $1]) }
            })
    }

    /// Traps unless both vectors have one layout, with factors that fit their leaves.
    init(parameterLayout: TreeLayout, factors: ParameterVector, inverses: ParameterVector) {
        require(
            factors.layout == inverses.layout,
            "Factors of layout\n\(factors.layout)\nare not inverted by those of\n\(inverses.layout)")
        self.parameterLayout = parameterLayout
        self.factors = factors
        self.inverses = inverses
        maps = parameterLayout.leaves.map { leaf in
            guard let left = factors.layout[leaf.path.appending("left")],
                let right = factors.layout[leaf.path.appending("right")]
            else { return LeafMap(columns: leaf.range, m: 0, n: 0, left: nil, right: nil) }
            let (m, n) = (leaf.shape.first ?? 0, leaf.shape.last ?? 0)
            require(
                leaf.shape.count == 2 && left.shape == [m, m] && right.shape == [n, n],
                "Factors of shapes \(left.shape) and \(right.shape) do not fit '\(leaf.path)' of \(leaf.shape).")
            return LeafMap(
                columns: leaf.range, m: m, n: n, left: left.range.lowerBound, right: right.range.lowerBound)
        }
    }

    /// The same as `parameterLayout`.
    public var transformedLayout: TreeLayout { parameterLayout }
    /// Multiplies one gradient's matrices. Traps if either has another number of elements than the layout.
    ///
    /// - Complexity: 2·m·n·(m + n) operations for each matrix leaf.
    public func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        preconditionMaps(gradient.count, to: transformed.count)
        gradient.withUnsafeBufferPointer { gradient in
            transformed.withUnsafeMutableBufferPointer { transformed in
                factors.withUnsafeValues { factors in
                    guard let gradient = gradient.baseAddress, let transformed = transformed.baseAddress else { return }
                    multiply(maps, gradient, by: factors.baseAddress, into: transformed)
                }
            }
        }
    }

    /// Multiplies by the inverses. Traps if the vector has another layout.
    public func inverse(_ transformed: ParameterVector) -> ParameterVector {
        preconditionTransformedLayout(transformed.layout)
        var result = ParameterVector(zeros: parameterLayout)
        result.withUnsafeMutableValues { result in
            transformed.withUnsafeValues { values in
                inverses.withUnsafeValues { inverses in
                    guard let result = result.baseAddress, let values = values.baseAddress else { return }
                    multiply(maps, values, by: inverses.baseAddress, into: result)
                }
            }
        }
        return result
    }

    /// Multiplies the matrices of some leaves that follow each other; `row` begins with the first of them.
    func multiply(
        _ maps: some Collection<LeafMap>, _ row: UnsafePointer<Float>, by factors: UnsafePointer<Float>?,
        into image: UnsafeMutablePointer<Float>
    ) {
        let origin = maps.first?.columns.lowerBound ?? 0
        let longest = maps.reduce(0) { max($0, $1.m * $1.n) }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: longest) { scratch in
            for map in maps {
                let begin = map.columns.lowerBound - origin
                let (source, target) = (row + begin, image + begin)
                guard let factors, let left = map.left, let right = map.right, let half = scratch.baseAddress else {
                    target.update(from: source, count: map.columns.count)
                    continue
                }
                let (m, n) = (map.m, map.n)
                RowwiseProduct.multiplyOnThisThread(
                    rows: m, columns: n, inner: m, StridedMatrix(factors + left, stride: m),
                    StridedMatrix(source, stride: n), into: half)
                RowwiseProduct.multiplyOnThisThread(
                    rows: m, columns: n, inner: n, StridedMatrix(half, stride: n),
                    StridedMatrix(factors + right, stride: n), into: target)
            }
        }
    }
}
