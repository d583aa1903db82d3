import LinearAlgebra

/// The kernel of a layer with positions: G_i = Σ_t a_it e_itᵀ.
///
/// An example's gradient *is* the Float32 product A_iᵀE_i, tile by tile: both questions form the same tiles with the
/// same call, so that what is added has exactly the norm that was measured, however the positions cancel each other.
/// Where positions are few, ``PositionGram`` finds a norm that is never below that one.
///
/// Under weights of rank one, A and E are those of the layer with ρ and γ multiplied in, rounded once: each thread does
/// so for one example, or one tile of it, at a time, in its own cache.
struct SequenceFactor: GradientFactor {
    let columns: Range<Int>
    /// (examples · positions) × in.
    let activations: Matrix
    /// (examples · positions) × out.
    let outputGradients: Matrix
    /// The rows of an example, at least 2.
    let positions: Int
    /// What activations and output gradients are multiplied by; nil for nothing.
    var weights: RankOneWeights?

    /// A tile of the product; four of them fit into a core's cache beside their sum.
    private static let tileElements = 1 << 14
    private static let longestTile = 512

    var inputs: Int { activations.columns }
    var outputs: Int { outputGradients.columns }
    private var columnTile: Int { min(outputs, 256) }
    private var rowTile: Int { min(Self.longestTile, Self.tileElements / columnTile) }
    private var rowTiles: Int { TaskTeam.pieces(of: inputs, length: rowTile) }
    private var columnTiles: Int { TaskTeam.pieces(of: outputs, length: columnTile) }

    struct Tile {
        let rows: Range<Int>
        let columns: Range<Int>
    }

    private func tile(_ index: Int) -> Tile {
        Tile(
            rows: TaskTeam.piece(index / columnTiles, of: inputs, length: rowTile),
            columns: TaskTeam.piece(index % columnTiles, of: outputs, length: columnTile))
    }

    private func form(_ tile: Tile, of example: Int, in product: UnsafeMutablePointer<Float>) {
        withFactors(of: example, tile) { activations, outputGradients in
            RowwiseProduct.multiplyOnThisThread(
                rows: tile.rows.count, columns: tile.columns.count, inner: positions, activations.transposed,
                outputGradients, into: product)
        }
    }

    /// Calls `body` with what makes up a tile of an example's gradient.
    private func withFactors(of example: Int, _ tile: Tile, _ body: (StridedMatrix, StridedMatrix) -> Void) {
        let rows = example * positions..<(example + 1) * positions
        guard let weights else {
            return body(
                StridedMatrix(activations.unsafeRow(rows.lowerBound) + tile.rows.lowerBound, stride: inputs),
                StridedMatrix(outputGradients.unsafeRow(rows.lowerBound) + tile.columns.lowerBound, stride: outputs))
        }
        let (left, right) = (positions * tile.rows.count, positions * tile.columns.count)
        withUnsafeTemporaryAllocation(byteCount: 4 * (left + right), alignment: 64) { memory in
            let scaled = memory.bindMemory(to: Float.self).baseAddress!
            activations.writeRows(rows, tile.rows, times: weights.rows, to: scaled)
            outputGradients.writeRows(rows, tile.columns, times: weights.columns, to: scaled + left)
            body(
                StridedMatrix(scaled, stride: tile.rows.count),
                StridedMatrix(scaled + left, stride: tile.columns.count))
        }
    }

    func squaredNorms(of examples: Range<Int>, under scale: UnsafePointer<Float>?, into norms: inout [Double]) {
        let gram = scale == nil ? PositionGram(factor: self) : nil
        norms.withUnsafeMutableBufferPointer { norms in
            TaskTeam.run(
                tasks: examples.count, work: examples.count * positions * inputs * outputs / 16,
                scratchBytes: 4 * Self.tileElements
            ) { index, scratch in
                let example = examples.lowerBound + index
                var known: Double?
                withFactors(of: example, Tile(rows: 0..<inputs, columns: 0..<outputs)) {
                    let size = size($0, $1)
                    known = size.isFinite ? gram?.squaredNorm($0, $1, size: size) : .nan
                }
                norms[index] = known ?? squaredNorm(of: example, under: scale, scratch: scratch)
            }
        }
    }

    /// z = Σ_t ‖a_t‖‖e_t‖.
    private func size(_ activations: StridedMatrix, _ outputGradients: StridedMatrix) -> Double {
        var squares = [Double](repeating: 0, count: 2 * positions)
        let (left, right) = (
            (0..<positions).map { activations.element($0, 0) }, (0..<positions).map { outputGradients.element($0, 0) }
        )
        squares.withUnsafeMutableBufferPointer { squares in
            let kernels = Kernels.active
            kernels.squared_norms(left, positions, 0, inputs, nil, squares.baseAddress!)
            kernels.squared_norms(right, positions, 0, outputs, nil, squares.baseAddress! + positions)
        }
        return (0..<positions).reduce(0) { $0 + (squares[$1] * squares[positions + $1]).squareRoot() }
    }

    private func squaredNorm(
        of example: Int, under scale: UnsafePointer<Float>?, scratch: UnsafeMutableRawPointer
    ) -> Double {
        let kernels = Kernels.active
        let product = scratch.bindMemory(to: Float.self, capacity: Self.tileElements)
        var sum = 0.0
        for index in 0..<rowTiles * columnTiles {
            let tile = tile(index)
            form(tile, of: example, in: product)
            for (place, row) in tile.rows.enumerated() {
                var source = UnsafePointer(product + place * tile.columns.count)
                var square = 0.0
                kernels.squared_norms(
                    &source, 1, 0, tile.columns.count, scale.map { $0 + row * outputs + tile.columns.lowerBound },
                    &square)
                sum += square
            }
        }
        return sum
    }

    func addWeightedSum(of examples: [WeightedExample], to sum: UnsafeMutablePointer<Double>) {
        let kernels = Kernels.active
        TaskTeam.run(
            tasks: rowTiles * columnTiles, work: inputs * outputs * examples.count * (2 + positions / 16),
            scratchBytes: 4 * 4 * Self.tileElements
        ) { index, scratch in
            let tile = tile(index)
            let products = scratch.bindMemory(to: Float.self, capacity: 4 * Self.tileElements)
            for begin in stride(from: 0, to: examples.count, by: 4) {
                let block = examples[begin..<min(begin + 4, examples.count)]
                for (place, example) in block.enumerated() {
                    form(tile, of: example.example, in: products + place * Self.tileElements)
                }
                let weights = block.map(\.clipFactor)
                var sources = block.indices.map { UnsafePointer(products + ($0 - begin) * Self.tileElements) }
                for row in tile.rows {
                    kernels.add_weighted_rows(
                        sources, weights, weights.count, 0, tile.columns.count,
                        sum + row * outputs + tile.columns.lowerBound)
                    for place in sources.indices { sources[place] += tile.columns.count }
                }
            }
        }
    }

    /// Calls `body`, on several threads, with every tile of every example's gradient; those of one tile one after the
    /// other.
    func forEachTile(
        of examples: [WeightedExample],
        _ body: (_ example: WeightedExample, _ tile: Tile, _ product: UnsafePointer<Float>) -> Void
    ) {
        TaskTeam.run(
            tasks: rowTiles * columnTiles, work: inputs * outputs * examples.count * (2 + positions / 16),
            scratchBytes: 4 * Self.tileElements
        ) { index, scratch in
            let (tile, product) = (tile(index), scratch.bindMemory(to: Float.self, capacity: Self.tileElements))
            for example in examples {
                form(tile, of: example.example, in: product)
                body(example, tile, UnsafePointer(product))
            }
        }
    }

    func copyGradient(of example: Int, into row: UnsafeMutablePointer<Float>) {
        let product = FloatScratch(count: Self.tileElements)
        for index in 0..<rowTiles * columnTiles {
            let tile = tile(index)
            form(tile, of: example, in: product.base)
            for (place, input) in tile.rows.enumerated() {
                (row + input * outputs + tile.columns.lowerBound).update(
                    from: product.base + place * tile.columns.count, count: tile.columns.count)
            }
        }
    }
}
