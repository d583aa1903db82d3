import LinearAlgebra

/// The weighted sum of a dense layer's gradients, Aᵀ(diag(κ)E): Float32 products of tiles, added up in Float64.
///
/// **Guarantee:** with c_i = |κ_i|·‖a_i‖·‖e_i‖ the norm of what example i contributes, the sum differs from the exact
/// one by at most γ₆₉·Σ c_i in norm, γ_n = n·2⁻²⁴/(1 − n·2⁻²⁴): a rounding of κ·e, at most 64 of products and their
/// sums, three where up to four such products are added up before they go to Float64, and one for what underflow takes.
/// Examples that are near the ends of Float32's range, where these could be more, are added in Float64.
struct OuterSum {
    let factor: OuterFactor
    /// Examples for Float32 products, and the others.
    private var fast: [WeightedExample] = []
    private var slow: [WeightedExample] = []

    /// The most examples whose products are added up in Float32: what bounds the rounding of the sum.
    private static let innerBlock = 64
    /// How many such products are added up in Float32, each with one more rounding: trips of the Float64 sum are dear.
    private static let chain = 4
    private static let longestTile = 512
    private static let columnTile = 256
    private static let tileElements = 1 << 15

    private var inputs: Int { factor.activations.columns }
    private var outputs: Int { factor.outputGradients.columns }

    init(factor: OuterFactor, examples: [WeightedExample]) {
        self.factor = factor
        guard let first = examples.first?.example, let last = examples.last?.example else { return }
        let activations = factor.activations.squaredRowNorms(first..<last + 1)
        let outputGradients = factor.outputGradients.squaredRowNorms(first..<last + 1)
        let norms = examples.map {
            (
                activation: activations[$0.example - first].squareRoot(),
                weighted: abs($0.clipFactor) * outputGradients[$0.example - first].squareRoot()
            )
        }
        let largest = norms.lazy.map { $0.activation * $0.weighted }.filter(\.isFinite).max() ?? 0
        let root = Double(factor.columns.count).squareRoot()
        for (example, norm) in zip(examples, norms) {
            // A product of 2¹¹⁸ leaves room for a sum of 256. Underflow, of κ·e or of a product, costs an element at
            // most 2⁻¹²⁶ times |a| + 2: in norm, no more than 2⁻³² of the largest contribution.
            let isFast =
                norm.activation <= 0x1p59 && norm.weighted <= 0x1p59
                && (norm.activation + 2) * 0x1p-126 * root <= 0x1p-32 * largest
            if isFast { fast.append(example) } else { slow.append(example) }
        }
    }

    func add(to sum: UnsafeMutablePointer<Double>) {
        let weighted = FloatScratch(count: fast.count * outputs)
        let isConsecutive = fast.isEmpty || fast.last!.example - fast[0].example == fast.count - 1
        let gathered = FloatScratch(count: isConsecutive ? 0 : fast.count * inputs)
        let kernels = Kernels.active
        TaskTeam.run(tasks: fast.count, work: fast.count * outputs) { index, _ in
            let example = fast[index]
            kernels.scaled(
                factor.outputGradients.unsafeRow(example.example), example.clipFactor, outputs,
                weighted.base + index * outputs)
            if !isConsecutive {
                (gathered.base + index * inputs).update(
                    from: factor.activations.unsafeRow(example.example), count: inputs)
            }
        }
        let activations =
            isConsecutive
            ? factor.activations.unsafeRow(fast.first?.example ?? 0) : UnsafePointer(gathered.base)
        addTiles(activations, weighted.base, to: sum)
    }

    private func addTiles(
        _ activations: UnsafePointer<Float>, _ weighted: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Double>
    ) {
        let columnTile = min(outputs, Self.columnTile)
        let rowTile = min(Self.longestTile, Self.tileElements / columnTile)
        let (rowTiles, columnTiles) = (
            TaskTeam.pieces(of: inputs, length: rowTile), TaskTeam.pieces(of: outputs, length: columnTile)
        )
        TaskTeam.run(
            tasks: rowTiles * columnTiles, work: inputs * outputs * (2 + fast.count / 16 + slow.count),
            scratchBytes: 4 * Self.tileElements
        ) { task, scratch in
            let rows = TaskTeam.piece(task / columnTiles, of: inputs, length: rowTile)
            let columns = TaskTeam.piece(task % columnTiles, of: outputs, length: columnTile)
            let product = scratch.bindMemory(to: Float.self, capacity: rows.count * columns.count)
            let blocks = TaskTeam.pieces(of: fast.count, length: Self.innerBlock)
            for block in 0..<blocks {
                let inner = TaskTeam.piece(block, of: fast.count, length: Self.innerBlock)
                BLAS.product(
                    rows: rows.count, columns: columns.count, inner: inner.count,
                    activations + inner.lowerBound * inputs + rows.lowerBound, .transposed, strideA: inputs,
                    weighted + inner.lowerBound * outputs + columns.lowerBound, .none, strideB: outputs, product,
                    accumulates: block % Self.chain > 0)
                if (block + 1) % Self.chain == 0 || block + 1 == blocks { add(product, rows, columns, to: sum) }
            }
            for example in slow { add(example, rows, columns, to: sum) }
        }
    }

    private func add(
        _ product: UnsafePointer<Float>, _ rows: Range<Int>, _ columns: Range<Int>,
        to sum: UnsafeMutablePointer<Double>
    ) {
        let kernels = Kernels.active
        var one = 1.0
        for (index, row) in rows.enumerated() {
            var source = product + index * columns.count
            kernels.add_weighted_rows(
                &source, &one, 1, 0, columns.count, sum + row * outputs + columns.lowerBound)
        }
    }

    private func add(
        _ example: WeightedExample, _ rows: Range<Int>, _ columns: Range<Int>,
        to sum: UnsafeMutablePointer<Double>
    ) {
        let kernels = Kernels.active
        let activation = factor.activations.unsafeRow(example.example)
        var error = factor.outputGradients.unsafeRow(example.example) + columns.lowerBound
        for row in rows {
            var clipFactor = example.clipFactor * Double(activation[row])
            kernels.add_weighted_rows(
                &error, &clipFactor, 1, 0, columns.count, sum + row * outputs + columns.lowerBound)
        }
    }
}

extension OuterFactor {
    func addWeightedSum(of examples: [WeightedExample], to sum: UnsafeMutablePointer<Double>) {
        OuterSum(factor: self, examples: examples).add(to: sum)
    }
}
