import CPrivacyKernels
import PyTrees
import Requirements

/// Divides gradients by a running root mean square, which is factored where leaves are large: Adafactor's first link.
///
///     β_t = 1 − t⁻ᶜ,  t = 1, 2, …
///     R = β_t R + (1 − β_t) mean_k g_jk²,  C = β_t C + (1 − β_t) mean_j g_jk²
///     u_jk = g_jk / √((R_j + ε)(C_k + ε) / (mean R + ε))
///
/// for a leaf whose two longest axes, j and k, both have at least `minimumFactoredSide` elements; with more axes, each
/// slice along the others has means of its own. For other leaves v = β_t v + (1 − β_t) g² and u = g / √(v + ε).
///
/// A factored m × n leaf costs m + n numbers of memory in the place of m·n. c lies in [0, 1), ε > 0. Means are taken in
/// Float64. Source: Shazeer and Stern, arXiv 1804.04235, sections 3 and 7.2. As optax's `scale_by_factored_rms`.
///
///     let optimizer = try chain { try ScaleByFactoredRMS(); try Scale(-0.01) }
public struct ScaleByFactoredRMS: GradientTransformation, Codable, Hashable {
    /// `scale_by_factored_rms`.
    public static var identifier: String { "scale_by_factored_rms" }

    /// How fast the decay β_t of the means goes to 1, c in [0, 1).
    @Hyperparameter<Decay> public var decayExponent: Double

    /// What keeps the divisor from zero, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// The least length of both axes of a leaf that is factored, at least 1.
    @StepNumber<AtLeastOne> public var minimumFactoredSide: Int

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        minimumFactoredSide: Int = 128, decayExponent: Double = 0.8, epsilon: Double = 1e-30
    ) throws(GradientTransformationError) {
        _minimumFactoredSide = try StepNumber(minimumFactoredSide, "minimumFactoredSide")
        _decayExponent = try Hyperparameter(decayExponent, "decayExponent")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
    }

    /// Means of zero.
    public func initialState(for parameters: ParameterVector) -> FactoredMomentState {
        FactoredMomentState(secondMoment: ParameterVector(zeros: moments(of: parameters.layout).layout))
    }

    /// Divides `updates` in place.
    public func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Takes the gradient into the means of factored leaves; divides with the operations that follow.
    public func join(
        _ pass: inout UpdatePass, state: inout FactoredMomentState, then next: (inout UpdatePass) -> Void
    ) {
        state.steps += 1
        let forgotten = pow(Double(state.steps), -decayExponent)
        let moments = moments(of: pass.layout)
        withMoments(&state.secondMoment, layout: moments.layout) { means in
            if moments.leaves.contains(where: { $0.axes != nil }) {
                pass.withVectors { gradient, _ in
                    gradient.withUnsafeValues { learn($0, forgotten: forgotten, moments, means) }
                }
            }
            let constants = dpk_constants(
                decay1: 0, gain1: 0, decay2: Float(1 - forgotten), gain2: Float(forgotten), momentum: 0, gradient: 0,
                correction: 1, root: max(Float(epsilon), .leastNonzeroMagnitude), epsilon: 0)
            pass.append(
                FactoredDivision(moments: moments, means: means, constants: constants, epsilon: epsilon))
            next(&pass)
        }
    }

    private func moments(of parameters: TreeLayout) -> FactoredLayout {
        FactoredLayout(of: parameters) { FactoredAxes(shape: $0, minimumSide: minimumFactoredSide) }
    }

    private func learn(
        _ gradient: UnsafeBufferPointer<Float>, forgotten: Double, _ moments: FactoredLayout,
        _ means: UnsafeMutablePointer<Float>
    ) {
        for leaf in moments.leaves {
            guard let axes = leaf.axes, !leaf.range.isEmpty else { continue }
            FactoredMeans(axes: axes, decay: 1 - forgotten).learn(
                gradient.baseAddress! + leaf.range.lowerBound, rows: means + leaf.moments,
                columns: means + leaf.columnMoments)
        }
    }
}

/// Divides a block by the root of the moments: those of elements, or the product of those of rows and columns.
private struct FactoredDivision: UpdateOperation {
    let moments: FactoredLayout
    let means: UnsafeMutablePointer<Float>
    let constants: dpk_constants
    /// For each leaf, √(mean R + ε) / √(R + ε) of each row, and 1 / √(C + ε) of each column after them.
    let factors: [[Float]]

    private static let multiply = dpk_active_kernels().pointee.activations.pointee.multiply

    init(moments: FactoredLayout, means: UnsafeMutablePointer<Float>, constants: dpk_constants, epsilon: Double) {
        self.moments = moments
        self.means = means
        self.constants = constants
        factors = moments.leaves.map { leaf in
            guard let axes = leaf.axes else { return [] }
            var sliceMeans = [Double](repeating: 0, count: axes.slices)
            for row in 0..<axes.rowCount { sliceMeans[axes.slice(ofRow: row)] += Double(means[leaf.moments + row]) }
            let rows = (0..<axes.rowCount).map { row in
                let mean = sliceMeans[axes.slice(ofRow: row)] / Double(axes.rows)
                return Float(((mean + epsilon) / (Double(means[leaf.moments + row]) + epsilon)).squareRoot())
            }
            return rows
                + (0..<axes.columnCount).map {
                    Float(1 / (Double(means[leaf.columnMoments + $0]) + epsilon).squareRoot())
                }
        }
    }

    func apply(to block: UpdateBlock) {
        moments.forEachPart(of: block.offset..<block.offset + block.count) { index, range in
            let leaf = moments.leaves[index]
            let updates = block.updates + (range.lowerBound - block.offset)
            let begin = range.lowerBound - leaf.range.lowerBound
            guard let axes = leaf.axes else {
                return withUnsafePointer(to: constants) {
                    Kernels.active.rms($0, range.count, updates, means + leaf.moments + begin)
                }
            }
            factors[index].withUnsafeBufferPointer {
                divide(updates, begin..<begin + range.count, axes, $0.baseAddress!, $0.baseAddress! + axes.rowCount)
            }
        }
    }

    /// The row's factor goes first: the other order could overflow where a gradient is zero.
    private func divide(
        _ updates: UnsafeMutablePointer<Float>, _ elements: Range<Int>, _ axes: FactoredAxes,
        _ rows: UnsafePointer<Float>, _ columns: UnsafePointer<Float>
    ) {
        if axes.inner > 1 {
            axes.forEachElement(of: elements) { element, row, column in
                let index = element - elements.lowerBound
                updates[index] = updates[index] * rows[row] * columns[column]
            }
            return
        }
        var begin = elements.lowerBound
        while begin < elements.upperBound {
            let (run, place) = begin.quotientAndRemainder(dividingBy: axes.columns)
            let count = min(axes.columns - place, elements.upperBound - begin)
            let slice = run / (axes.rows * axes.middle) * axes.middle + run % axes.middle
            let target = updates + (begin - elements.lowerBound)
            Kernels.active.scale(rows[run], count, target)
            Self.multiply(columns + slice * axes.columns + place, 1, count, count, target)
            begin += count
        }
    }
}
