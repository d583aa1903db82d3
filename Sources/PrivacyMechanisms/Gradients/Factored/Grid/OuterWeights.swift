import LinearAlgebra

/// What turns a row of output gradients into the squared norm of an outer product: T_q = Σ_p (s'_pq a_p)², for whole
/// numbers a, so that ‖s' ∘ (a eᵀ)‖² = Σ_q T_q e_q².
///
/// Without a scale, T is the same for all q: ‖a‖², an exact integer. Under a scale it is one Float32 product.
///
/// **Guarantee:** no T_q is below the true one. All terms are non-negative, so that Float32 rounding makes it too small
/// by a relative γ_(n+8) at most, n the terms of a sum; what underflow can take away is bounded beside it; both are
/// added.
final class OuterWeights {
    private let rows: Int
    private let inputs: Int
    private let outputs: Int
    private let scale: UnsafePointer<Float>?
    /// The inverse powers of two that balance the scale.
    let rowWeights: [Float]
    let columnWeights: [Float]
    private let squaredColumnWeights: [Float]
    /// T, rows × outputs, under a scale; ‖a‖² without one.
    private let weights: FloatScratch
    private var squaredNorms: [Double]

    private static let rowBlock = 256
    private static let columnTile = 256
    private static let innerBlock = 512
    /// What a sum of 512 terms a²·s'², in units of the largest s' of its tile, can lose to underflow, and more: squares
    /// of s' below 2⁻¹²⁶, times a² ≤ 2³⁰.
    private static let underflow: Float = 0x1p-60
    /// Where what is multiplied with such a sum is in this range, nothing underflows.
    private static let factors = 0x1p-60...0x1p100

    /// Weights under `scale`, which the powers of two `activationWeights` and `gradientWeights` balance.
    init(
        rows: Int, inputs: Int, outputs: Int, scale: UnsafePointer<Float>?, activationWeights: UnsafePointer<Float>?,
        gradientWeights: UnsafePointer<Float>?
    ) {
        self.rows = rows
        self.inputs = inputs
        self.outputs = outputs
        self.scale = scale
        if scale != nil, let activationWeights, let gradientWeights {
            rowWeights = (0..<inputs).map { 1 / activationWeights[$0] }
            columnWeights = (0..<outputs).map { 1 / gradientWeights[$0] }
        } else {
            (rowWeights, columnWeights) = ([], [])
        }
        // Powers of two: squares and inverses are exact.
        squaredColumnWeights = columnWeights.map { $0 * $0 }
        weights = FloatScratch(count: scale == nil ? 0 : rows * outputs)
        squaredNorms = Array(repeating: 0, count: scale == nil ? rows : 0)
    }

    private var rounding: Double { 1 + Double(outputs + 8) * 0x1p-52 }

    /// ‖a‖²·‖e‖² of a row without a scale, rounded up, with a known ‖e‖².
    func squaredNorm(of row: Int, timesSquare square: Double) -> Double { squaredNorms[row] * square * rounding }

    /// Σ_q T_q e_q² of a row, rounded up.
    func squaredNorm(of row: Int, times gradient: UnsafePointer<Float>) -> Double {
        let kernels = Kernels.active
        if scale == nil {
            var (gradient, square) = (gradient, 0.0)
            kernels.squared_norms(&gradient, 1, 0, outputs, nil, &square)
            return squaredNorm(of: row, timesSquare: square)
        }
        return kernels.weighted_square_sum(weights.base + row * outputs, gradient, outputs) * rounding
    }

    /// Computes the weights of `rows` rows of `inputs` whole numbers each.
    func write(of wholeNumbers: UnsafePointer<Float>) {
        let kernels = Kernels.active
        guard let scale else {
            for row in 0..<rows {
                var pointer = wholeNumbers + row * inputs
                kernels.squared_norms(&pointer, 1, 0, inputs, nil, &squaredNorms[row])
            }
            return
        }
        let squares = FloatScratch(count: rows * inputs)
        TaskTeam.run(tasks: rows, work: 4 * rows * inputs) { row, _ in
            kernels.scaled_squares(wholeNumbers + row * inputs, 1, inputs, squares.base + row * inputs)
        }
        multiply(squares.base, scale)
    }

    private func multiply(_ squares: UnsafePointer<Float>, _ scale: UnsafePointer<Float>) {
        let (rowBlock, columnTile, innerBlock) = (Self.rowBlock, Self.columnTile, Self.innerBlock)
        let kernels = Kernels.active
        let tiles = TaskTeam.pieces(of: outputs, length: columnTile)
        let blocks = TaskTeam.pieces(of: rows, length: rowBlock)
        TaskTeam.run(
            tasks: blocks * tiles, work: rows * inputs * outputs / 16,
            scratchBytes: 4 * columnTile * (innerBlock + rowBlock)
        ) { task, scratch in
            let scaleTile = scratch.bindMemory(to: Float.self, capacity: columnTile * (innerBlock + rowBlock))
            let product = scaleTile + columnTile * innerBlock
            let (tile, block) = (task / blocks, task % blocks)
            let rows = TaskTeam.piece(block, of: self.rows, length: rowBlock)
            let columns = TaskTeam.piece(tile, of: outputs, length: columnTile)
            for row in rows {
                (weights.base + row * outputs + columns.lowerBound).update(repeating: 0, count: columns.count)
            }
            let innerBlocks = TaskTeam.pieces(of: inputs, length: innerBlock)
            for index in 0..<innerBlocks {
                let inner = TaskTeam.piece(index, of: inputs, length: innerBlock)
                let squaredUnit = squareScale(scale, inner, columns, into: scaleTile)
                RowwiseProduct.multiplyOnThisThread(
                    rows: rows.count, columns: columns.count, inner: inner.count,
                    StridedMatrix(squares + rows.lowerBound * inputs + inner.lowerBound, stride: inputs),
                    StridedMatrix(scaleTile, stride: columns.count), into: product)
                // Eight roundings: those of the squares, of the lines below, and of adding up the blocks.
                let inflation = 1 + accumulatedRoundingError(inner.count + 8) + Double(innerBlocks) * 0x1p-23
                let isInRange =
                    Self.factors.contains(squaredUnit)
                    && columns.allSatisfy { Self.factors.contains(squaredUnit * Double(squaredColumnWeights[$0])) }
                let factor = isInRange ? Float(squaredUnit * inflation) : .nan
                squaredColumnWeights.withUnsafeBufferPointer { columnWeights in
                    for row in rows {
                        kernels.add_scaled_product(
                            product + (row - rows.lowerBound) * columns.count, Self.underflow,
                            factor, columnWeights.baseAddress! + columns.lowerBound,
                            columns.count,
                            weights.base + row * outputs + columns.lowerBound)
                    }
                }
            }
        }
    }

    /// Writes the squares of a tile of the scale, its rows balanced, divided by the square of a power of two, which is
    /// returned; NaN if the scale is not finite, or if a row's own power of two is not a normal number of Float32: the
    /// row would vanish from the sum.
    private func squareScale(
        _ scale: UnsafePointer<Float>, _ inner: Range<Int>, _ columns: Range<Int>,
        into tile: UnsafeMutablePointer<Float>
    ) -> Double {
        let kernels = Kernels.active
        var largest = 0.0
        for row in inner {
            let magnitude = kernels.largest_magnitude(scale + row * outputs + columns.lowerBound, columns.count)
            if !magnitude.isFinite { return .nan }
            largest = max(largest, Double(magnitude) * Double(rowWeights[row]))
        }
        let exponent = largest == 0 ? 0 : Int(largest.exponent)
        for (index, row) in inner.enumerated() {
            let unit = Float(Double(sign: .plus, exponent: -exponent, significand: Double(rowWeights[row])))
            if !unit.isNormal { return .nan }
            kernels.scaled_squares(
                scale + row * outputs + columns.lowerBound, unit, columns.count, tile + index * columns.count)
        }
        return Double(sign: .plus, exponent: 2 * exponent, significand: 1)
    }
}
