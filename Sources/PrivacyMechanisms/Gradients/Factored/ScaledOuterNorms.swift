import LinearAlgebra

/// The squared norms of dense layers under a scale: n_i² = Σ_q T_iq e_iq² with T = (A∘A)(S∘S), one Float32 product.
///
/// **Guarantee:** no result is below the true squared norm by more than Float64 rounding. All terms are non-negative,
/// so that Float32 rounding makes T too small by a relative γ_(k+2) at most, with k terms in a sum, and what underflow
/// can take away is bounded beside it; both are added. Activations and tiles of the scale are multiplied by powers of
/// two, so that nothing overflows; where what was added for underflow is more than 2⁻²⁰ of the result, or an
/// activation's norm is at the ends of Float32's range, the example is measured again in Float64.
struct ScaledOuterNorms {
    let factor: OuterFactor
    let examples: Range<Int>
    /// The scale of the kernel, in × out.
    let scale: UnsafePointer<Float>
    let squaredActivations: [Double]
    let squaredErrors: [Double]

    private static let rowBlock = 256
    private static let columnTile = 256
    private static let innerBlock = 512

    /// What an element of T, in units of the powers of two, can lose to underflow: with d = 2⁻¹²⁶, the squares and
    /// products lose d·(‖a‖² + k·max s² + 2k) ≤ d·(4 + 16·512 + 2·512) < 2¹⁴·d.
    private static let underflow = 0x1p-112

    private var inputs: Int { factor.activations.columns }
    private var outputs: Int { factor.outputGradients.columns }
    private var tiles: Int { TaskTeam.pieces(of: outputs, length: Self.columnTile) }

    /// The power of two that brings an example's activations to a norm between 1 and 2; nil where it would not.
    ///
    /// Float32 must have the power's inverse as a normal number.
    private func exponent(_ index: Int) -> Int? {
        let square = squaredActivations[index]
        guard square > 0, square < .infinity else { return nil }
        let exponent = Int(square.exponent) >> 1
        return (-126...126).contains(exponent) ? exponent : nil
    }

    func write(to norms: inout [Double]) {
        let squares = FloatScratch(count: examples.count * inputs)
        writeSquares(to: squares.base)
        var partial = [Double](repeating: 0, count: tiles * examples.count)
        var magnitudes = [Double](repeating: 0, count: tiles)
        partial.withUnsafeMutableBufferPointer { partial in
            magnitudes.withUnsafeMutableBufferPointer { magnitudes in
                multiply(squares.base, partial: partial, magnitudes: magnitudes)
            }
        }
        let lost = Self.underflow * magnitudes.reduce(0, +)
        var remeasured: [Int] = []
        for index in norms.indices {
            if squaredActivations[index] == 0 || !squaredActivations[index].isFinite {
                norms[index] = squaredActivations[index] * squaredErrors[index]
            } else if let exponent = exponent(index) {
                let sum = (0..<tiles).reduce(0) { $0 + partial[$1 * examples.count + index] }
                let correction = lost * squaredErrors[index]
                norms[index] = Double(sign: .plus, exponent: 2 * exponent, significand: sum + correction)
                if correction > 0x1p-20 * sum { remeasured.append(index) }
            } else {
                remeasured.append(index)
            }
        }
        measureAgain(remeasured, into: &norms)
    }

    private func writeSquares(to squares: UnsafeMutablePointer<Float>) {
        let kernels = Kernels.active
        TaskTeam.run(tasks: examples.count, work: examples.count * inputs) { index, _ in
            let target = squares + index * inputs
            guard let exponent = exponent(index) else {
                target.update(repeating: 0, count: inputs)
                return
            }
            kernels.scaled_squares(
                factor.activations.unsafeRow(examples.lowerBound + index),
                Float(sign: .plus, exponent: -exponent, significand: 1), inputs, target)
        }
    }

    /// Writes, for each tile of columns and each example, the tile's part of the norm; and for each tile, the sum of
    /// the squared powers of two of its blocks.
    private func multiply(
        _ squares: UnsafePointer<Float>, partial: UnsafeMutableBufferPointer<Double>,
        magnitudes: UnsafeMutableBufferPointer<Double>
    ) {
        let (rowBlock, columnTile, innerBlock) = (Self.rowBlock, Self.columnTile, Self.innerBlock)
        let kernels = Kernels.active
        let blocks = TaskTeam.pieces(of: examples.count, length: rowBlock)
        TaskTeam.run(
            tasks: blocks * tiles, work: examples.count * inputs * outputs / 16,
            scratchBytes: 4 * columnTile * (innerBlock + rowBlock)
        ) { task, scratch in
            let scaleTile = scratch.bindMemory(to: Float.self, capacity: columnTile * (innerBlock + rowBlock))
            let product = scaleTile + columnTile * innerBlock
            let (tile, block) = (task / blocks, task % blocks)
            let rows = TaskTeam.piece(block, of: examples.count, length: rowBlock)
            let columns = TaskTeam.piece(tile, of: outputs, length: columnTile)
            for index in 0..<TaskTeam.pieces(of: inputs, length: innerBlock) {
                let inner = TaskTeam.piece(index, of: inputs, length: innerBlock)
                let exponent = squareScale(inner, columns, into: scaleTile)
                let unit = exponent.map { Double(sign: .plus, exponent: 2 * $0, significand: 1) } ?? .nan
                if block == 0 { magnitudes[tile] += unit }
                RowwiseProduct.multiplyOnThisThread(
                    rows: rows.count, columns: columns.count, inner: inner.count,
                    StridedMatrix(squares + rows.lowerBound * inputs + inner.lowerBound, stride: inputs),
                    StridedMatrix(scaleTile, stride: columns.count), into: product)
                // Two roundings more than are needed leave room for those in Float64.
                let inflated = unit * (1 + accumulatedRoundingError(inner.count + 4))
                for row in rows {
                    let error = factor.outputGradients.unsafeRow(examples.lowerBound + row) + columns.lowerBound
                    let weights = product + (row - rows.lowerBound) * columns.count
                    partial[tile * examples.count + row] +=
                        inflated * kernels.weighted_square_sum(weights, error, columns.count)
                }
            }
        }
    }

    /// Writes the squares of a tile of the scale, divided by a power of four, and returns the exponent of its root; nil
    /// if the scale is not finite.
    private func squareScale(
        _ inner: Range<Int>, _ columns: Range<Int>, into tile: UnsafeMutablePointer<Float>
    ) -> Int? {
        let kernels = Kernels.active
        var largest: Float = 0
        for row in inner {
            let magnitude = kernels.largest_magnitude(scale + row * outputs + columns.lowerBound, columns.count)
            if !(magnitude <= largest) { largest = magnitude }
            if !largest.isFinite { return nil }
        }
        // Four is the most that a square can then be too large by.
        let exponent = largest == 0 ? 0 : max(-126, min(126, Int(largest.exponent)))
        let unit = Float(sign: .plus, exponent: -exponent, significand: 1)
        for (index, row) in inner.enumerated() {
            kernels.scaled_squares(
                scale + row * outputs + columns.lowerBound, unit, columns.count, tile + index * columns.count)
        }
        return exponent
    }

    /// The norms of a few examples in Float64, row of the kernel by row.
    private func measureAgain(_ indices: [Int], into norms: inout [Double]) {
        let kernels = Kernels.active
        norms.withUnsafeMutableBufferPointer { norms in
            TaskTeam.run(tasks: indices.count, work: indices.count * inputs * outputs) { task, _ in
                let example = examples.lowerBound + indices[task]
                let activation = factor.activations.unsafeRow(example)
                var error = factor.outputGradients.unsafeRow(example)
                var sum = 0.0
                for input in 0..<inputs {
                    var square = 0.0
                    kernels.squared_norms(&error, 1, 0, outputs, scale + input * outputs, &square)
                    sum += Double(activation[input]) * Double(activation[input]) * square
                }
                norms[indices[task]] = sum
            }
        }
    }
}
