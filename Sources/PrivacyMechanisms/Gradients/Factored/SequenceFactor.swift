import LinearAlgebra

/// The kernel of a layer with positions: G_i = Σ_t a_it e_itᵀ.
///
/// An example's gradient *is* the Float32 product A_iᵀE_i, tile by tile: both questions form the same tiles with the
/// same call, so that what is added has exactly the norm that was measured, however the positions cancel each other.
struct SequenceFactor: GradientFactor {
    let columns: Range<Int>
    /// (examples · positions) × in.
    let activations: Matrix
    /// (examples · positions) × out.
    let outputGradients: Matrix
    /// The rows of an example, at least 2.
    let positions: Int

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
        RowwiseProduct.multiplyOnThisThread(
            rows: tile.rows.count, columns: tile.columns.count, inner: positions,
            StridedMatrix(activations.unsafeRow(example * positions) + tile.rows.lowerBound, stride: inputs).transposed,
            StridedMatrix(outputGradients.unsafeRow(example * positions) + tile.columns.lowerBound, stride: outputs),
            into: product)
    }

    func squaredNorms(of examples: Range<Int>, under scale: UnsafePointer<Float>?, into norms: inout [Double]) {
        let rows = examples.lowerBound * positions..<examples.upperBound * positions
        let squaredActivations = activations.squaredRowNorms(rows)
        let squaredErrors = outputGradients.squaredRowNorms(rows)
        let gram = scale == nil ? PositionGram(factor: self) : nil
        norms.withUnsafeMutableBufferPointer { norms in
            TaskTeam.run(
                tasks: examples.count, work: examples.count * positions * inputs * outputs / 16,
                scratchBytes: 4 * Self.tileElements
            ) { index, scratch in
                let example = examples.lowerBound + index
                let size = (index * positions..<(index + 1) * positions).reduce(0) {
                    $0 + (squaredActivations[$1] * squaredErrors[$1]).squareRoot()
                }
                norms[index] =
                    !size.isFinite
                    ? .nan
                    : gram?.squaredNorm(of: example, size: size)
                        ?? squaredNorm(of: example, under: scale, scratch: scratch)
            }
        }
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
