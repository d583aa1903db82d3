import LinearAlgebra
import Requirements

/// The kernel of a dense layer on its way to an exact sum: an example contributes the outer product of two rows of
/// whole numbers, and the sum of them all is a product of integer matrices.
///
///     a_q = ⌊f_a · 2^k ∘ a⌉,  e_q = ⌊f_e · 2^l ∘ e⌉,  Σ_i a_q,i e_q,iᵀ
///
/// f_a brings activations to a norm of A, f_e is the clip factor in units of a grid that is 2^`extraBits` times finer
/// than the noise's, over f_a. A and the norm E that output gradients have then multiply to the norm of the
/// contribution in those units, at most 2²⁵, and are shared out so that rounding costs both alike: A/E = √(in/out). k
/// and l balance the scale, see ``ScaleBalance``. A scale of rank one, ρ_p γ_q, takes the places of 2^k and 2^l, and
/// is all of the scale.
///
/// **Guarantee:**
///
/// - What an example adds is exactly a_q e_qᵀ, a function of the example, the clip factor and the scale. The sum has no
///   rounding, so that no bit depends on its order.
/// - The norm that is returned is that of a_q e_qᵀ itself under the scale, never below it: under a scale from weights
///   T_q = Σ_p (s_pq a_q,p)², a Float32 product that is rounded up; the error of rounding e is in it. Under a scale of
///   rank one, which the integers contain, it is ‖a_q‖·‖e_q‖.
/// - Products add up in 32 bits without overflow: |a_q,p e_q,q| ≤ 2²⁵, and as many examples do so as their largest
///   products allow.
///
/// An example to which integers of 16 bits do not do justice, because its numbers are near the ends of Float32's range
/// or because the scale is far from balanced, is added as rows of the noise's grid, in Float64. That takes as many
/// products as there are parameters, for this example alone.
final class OuterGridLeaf: GridLeaf {
    private enum Form: UInt8 {
        case zero, product, rows
    }

    private struct Example {
        var form = Form.zero
        /// Of a and e in balanced coordinates.
        var squaredActivation = 0.0
        var squaredGradient = 0.0
        /// f_a.
        var activationFactor: Float = 0
        var largestActivation: Float = 0
        /// No product of an element of a_q and one of e_q is larger.
        var largestProduct = 0
        var squaredNorm = 0.0
    }

    private static let fineBits = 25

    let columns: Range<Int>
    private let factor: OuterFactor
    private let scale: UnsafePointer<Float>?
    /// What activations and output gradients are multiplied by before they are rounded.
    private let activationWeights: UnsafePointer<Float>?
    private let gradientWeights: UnsafePointer<Float>?
    /// Holds the weights that balance a scale.
    private let balance: FloatScratch
    private let extraBits: Int
    private let exampleCount: Int

    /// a_q and e_q of each example, whole numbers in Float32, and 2^l ∘ e.
    private let activations: FloatScratch
    private let gradients: FloatScratch
    private let balancedGradients: FloatScratch
    private let weights: OuterWeights

    /// What is known of each example. Threads write that of different examples at once.
    private let examples: UnsafeMutableBufferPointer<Example>

    /// What a leaf is scaled by. Its numbers are used as long as the leaf is.
    enum Scale {
        /// Any scale, in × out numbers; nil for none.
        case elements(UnsafePointer<Float>?)
        /// ρ_p γ_q.
        case rankOne(rows: UnsafePointer<Float>, columns: UnsafePointer<Float>)
    }

    init(factor: OuterFactor, exampleCount: Int, scale: Scale, grid: SumGrid) {
        let (inputs, outputs) = (factor.activations.columns, factor.outputGradients.columns)
        switch scale {
        case .elements(let elements?):
            let powers = ScaleBalance(elements, rows: inputs, columns: outputs)
            balance = FloatScratch(count: inputs + outputs)
            balance.base.update(from: powers.activationWeights, count: inputs)
            (balance.base + inputs).update(from: powers.gradientWeights, count: outputs)
            self.scale = elements
            (activationWeights, gradientWeights) = (UnsafePointer(balance.base), UnsafePointer(balance.base + inputs))
        case .elements(nil):
            balance = FloatScratch(count: 0)
            (self.scale, activationWeights, gradientWeights) = (nil, nil, nil)
        case .rankOne(let rows, let columns):
            balance = FloatScratch(count: 0)
            (self.scale, activationWeights, gradientWeights) = (nil, rows, columns)
        }
        columns = factor.columns
        self.factor = factor
        self.exampleCount = exampleCount
        extraBits = max(0, Self.fineBits - grid.sensitivity.trailingZeroBitCount)
        activations = FloatScratch(count: exampleCount * inputs)
        gradients = FloatScratch(count: exampleCount * outputs)
        balancedGradients = FloatScratch(count: self.scale == nil ? 0 : exampleCount * outputs)
        examples = .allocate(capacity: exampleCount)
        examples.initialize(repeating: Example())
        weights = OuterWeights(
            rows: exampleCount, inputs: inputs, outputs: outputs, scale: self.scale,
            activationWeights: activationWeights, gradientWeights: gradientWeights)
        forEachExample(measureFactors)
    }

    deinit { examples.deallocate() }

    private var inputs: Int { factor.activations.columns }
    private var outputs: Int { factor.outputGradients.columns }

    // MARK: Measuring

    private func measureFactors(_ example: Int) {
        examples[example].squaredActivation = squaredNorm(
            factor.activations.unsafeRow(example), activationWeights, count: inputs)
        examples[example].squaredGradient = squaredNorm(
            factor.outputGradients.unsafeRow(example), gradientWeights, count: outputs)
    }

    func estimatedSquaredNorm(of example: Int) -> Double {
        examples[example].squaredActivation * examples[example].squaredGradient
    }

    func prepare(expectedFactors: [Double]) {
        forEachExample { quantizeActivation($0, expectedFactor: expectedFactors[$0]) }
        weights.write(of: activations.base)
        forEachExample { example in
            if examples[example].form == .product { examples[example].squaredNorm = productNorm(example) }
            // Weights beyond Float32's range: the example is measured as what it is.
            if examples[example].form == .product,
                !(examples[example].squaredNorm > 0 && examples[example].squaredNorm < .infinity)
            {
                measureAsRows(example)
            }
        }
    }

    /// A, for a contribution of about `norm` units of the noise's grid.
    private func activationNorm(_ norm: Double) -> Double {
        let fine = min(norm * Double(1 << extraBits), Double(1 << Self.fineBits))
        let share = (Double(inputs) / Double(outputs)).squareRoot()
        return max(1, min(30_000, (fine * share).squareRoot()))
    }

    /// Calls `body` for every example, on several threads: it writes what belongs to its example only.
    private func forEachExample(_ body: (Int) -> Void) {
        TaskTeam.run(tasks: exampleCount, work: exampleCount * (inputs + outputs) * 2) { example, _ in body(example) }
    }

    private func squaredNorm(
        _ row: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, count: Int
    ) -> Double {
        var (row, square) = (row, 0.0)
        Kernels.active.squared_norms(&row, 1, 0, count, weights, &square)
        return square
    }

    private func quantizeActivation(_ example: Int, expectedFactor: Double) {
        let kernels = Kernels.active
        let target = activations.base + example * inputs
        let (squaredActivation, squaredGradient) = (
            examples[example].squaredActivation, examples[example].squaredGradient
        )
        let product = squaredActivation * squaredGradient
        guard product > 0, product < .infinity else {
            target.update(repeating: 0, count: inputs)
            examples[example].squaredNorm = product
            return
        }
        let range = 0x1p-200...0x1p200
        let norm = activationNorm(expectedFactor * product.squareRoot())
        let ownFactor = Float(norm / squaredActivation.squareRoot())
        let largest =
            range.contains(squaredActivation) && range.contains(squaredGradient)
            ? kernels.quantize(
                factor.activations.unsafeRow(example), activationWeights, ownFactor, inputs, target)
            : .infinity
        guard largest <= 32_767 else {
            target.update(repeating: 0, count: inputs)
            return measureAsRows(example)
        }
        guard largest >= 0.5 else {
            // All activations round to zero: then A < √in/2, and A·E < √P/4 units, less than rows of the grid lose.
            examples[example].squaredNorm = product
            return
        }
        examples[example].form = .product
        examples[example].activationFactor = ownFactor
        examples[example].largestActivation = largest
        if scale != nil, let gradientWeights {
            kernels.multiplied(
                factor.outputGradients.unsafeRow(example), gradientWeights, outputs,
                balancedGradients.base + example * outputs)
        }
    }

    private func balancedGradient(_ example: Int) -> UnsafePointer<Float> {
        scale == nil
            ? factor.outputGradients.unsafeRow(example) : UnsafePointer(balancedGradients.base + example * outputs)
    }

    /// ‖a_q eᵀ‖² under the scale, over f_a².
    private func productNorm(_ example: Int) -> Double {
        let square =
            scale == nil
            ? weights.squaredNorm(of: example, timesSquare: examples[example].squaredGradient)
            : weights.squaredNorm(of: example, times: balancedGradient(example))
        return square / (Double(examples[example].activationFactor) * Double(examples[example].activationFactor))
    }

    /// From here on, the example is added as rows. Its norm is measured in Float64.
    private func measureAsRows(_ example: Int) {
        examples[example].form = .rows
        let activation = factor.activations.unsafeRow(example)
        let gradient = factor.outputGradients.unsafeRow(example)
        guard let scale else {
            examples[example].squaredNorm =
                examples[example].squaredActivation * examples[example].squaredGradient
            return
        }
        var (row, sum) = (gradient, 0.0)
        for input in 0..<inputs {
            var square = 0.0
            Kernels.active.squared_norms(&row, 1, 0, outputs, scale + input * outputs, &square)
            sum += Double(activation[input]) * Double(activation[input]) * square
        }
        examples[example].squaredNorm = sum
    }

    // MARK: Placing

    func squaredNorm(of example: Int) -> Double { examples[example].squaredNorm }

    func refine(_ example: Int) -> Bool {
        guard examples[example].form == .product else { return false }
        measureAsRows(example)
        return true
    }

    func fineColumns(of example: Int) -> Int { examples[example].form == .product ? columns.count : 0 }

    func place(_ example: Int, factor clipFactor: Double) -> Double? {
        switch examples[example].form {
        case .zero: return 0
        case .rows:
            return GridLeafBound.ofRow(
                norm: clipFactor * examples[example].squaredNorm.squareRoot(), elements: columns.count)
        case .product:
            let own = clipFactor * Double(1 << extraBits) / Double(examples[example].activationFactor)
            let target = gradients.base + example * outputs
            var largest = Float.infinity
            if own >= 0x1p-120, own <= 0x1p120 {
                largest = Kernels.active.quantize(
                    balancedGradient(example), scale == nil ? gradientWeights : nil, Float(own), outputs, target)
            }
            let product = (Double(largest) + 0.5) * (Double(examples[example].largestActivation) + 0.5)
            guard largest <= 32_767, product <= Double(1 << Self.fineBits) else {
                measureAsRows(example)
                return nil
            }
            examples[example].largestProduct = Int(product)
            let norm = weights.squaredNorm(of: example, times: UnsafePointer(target)).squareRoot()
            return norm * (1 + 0x1p-50) / Double(1 << extraBits)
        }
    }

    // MARK: Adding

    func addRows(of range: Range<Int>, factors: [Double], to sum: GridSum, on grid: SumGrid) {
        let chosen = range.filter { examples[$0].form == .rows && factors[$0] != 0 }
        if chosen.isEmpty { return }
        sum.makeRoom(for: chosen.count, in: columns, on: grid)
        let target = sum.recent.base + columns.lowerBound
        TaskTeam.run(tasks: inputs, work: chosen.count * inputs * outputs) { input, _ in
            for example in chosen {
                var activation = Double(factor.activations.unsafeRow(example)[input])
                if scale == nil, let activationWeights { activation *= Double(activationWeights[input]) }
                Kernels.active.add_wide_grid_row(
                    factor.outputGradients.unsafeRow(example), factors[example] * activation, outputs,
                    scale.map { $0 + input * outputs } ?? gradientWeights, target + input * outputs)
            }
        }
    }

    func addProducts(factors: [Double], to sum: GridSum, on grid: SumGrid) {
        let chosen = (0..<exampleCount).filter { examples[$0].form == .product && factors[$0] != 0 }
        if chosen.isEmpty { return }
        let target = sum.fineSum(for: columns) {
            FinePart(
                columns: columns, rowLength: outputs, unit: 1 / Double(1 << extraBits),
                rowWeights: scale == nil ? nil : weights.rowWeights,
                columnWeights: scale == nil ? nil : weights.columnWeights)
        }
        OuterIntegerSum(
            examples: chosen, activations: activations.base, inputs: inputs, gradients: gradients.base,
            outputs: outputs, largestProducts: chosen.map { examples[$0].largestProduct }
        ).add(to: target)
    }
}

extension OuterFactor {
    func gridLeaf(exampleCount: Int, scale: UnsafePointer<Float>?, grid: SumGrid) -> any GridLeaf {
        OuterGridLeaf(factor: self, exampleCount: exampleCount, scale: .elements(scale), grid: grid)
    }
}
