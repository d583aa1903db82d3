import LinearAlgebra
import PyTrees
import Requirements

extension ClippedAggregate {
    /// Adds a microbatch; writes squared norms, an example's groups beside each other, to `norms` where they are asked
    /// for.
    mutating func add(
        _ gradients: some PerExampleGradients, padding: [Bool]?, norms: UnsafeMutableBufferPointer<Double>?
    ) {
        require(
            gradients.layout == parameterLayout,
            "Gradients of layout\n\(gradients.layout)\ndo not fit a transform of\n\(parameterLayout)")
        if let padding {
            require(
                padding.count == gradients.exampleCount,
                "\(padding.count) padding flags do not fit \(gradients.exampleCount) examples.")
        }
        if case .exact(let sum, let grid) = sum { sum.count(examples: gradients.exampleCount, on: grid) }
        switch form {
        case .identity: add(gradients, under: nil, padding: padding, norms: norms)
        case .diagonal(let scale): add(gradients, under: scale, padding: padding, norms: norms)
        case .rankOne(let map):
            if let factored = gradients as? FactoredGradients, case .exact(let sum, let grid) = sum {
                FactoredGridPass(
                    gradients: factored, scale: .rankOne(map), bounds: bounds, grid: grid, padding: padding
                ).run(sum: sum, norms: norms)
            } else {
                addImages(of: gradients, by: map, padding: padding, norms: norms)
            }
        case .general(let map): addImages(of: gradients, by: map, padding: padding, norms: norms)
        }
    }

    /// Maps gradients into the transformed space and adds them there: factored where they and the map are, or as rows.
    private func addImages(
        of gradients: some PerExampleGradients, by map: some GeneralTransform, padding: [Bool]?,
        norms: UnsafeMutableBufferPointer<Double>?
    ) {
        guard let factored = gradients as? FactoredGradients, let mapped = map.transformed(factored) else {
            return addMapped(gradients, by: map, padding: padding, norms: norms)
        }
        require(
            mapped.layout == bounds.layout && mapped.exampleCount == factored.exampleCount,
            """
            \(mapped.exampleCount) gradients of layout\n\(mapped.layout)\nare not the images of \
            \(factored.exampleCount) in the transformed space\n\(bounds.layout)
            """)
        addAnswers(of: mapped, under: nil, padding: padding, norms: norms)
    }

    private func add(
        _ gradients: some PerExampleGradients, under scale: ParameterVector?, padding: [Bool]?,
        norms: UnsafeMutableBufferPointer<Double>?
    ) {
        if let rows = gradients as? DenseRows {
            DenseRowsPass(rows: rows, padding: padding, bounds: bounds, sum: sum, measuresPadding: norms != nil)
                .run(scale: scale, norms: norms?.baseAddress)
        } else {
            addAnswers(of: gradients, under: scale, padding: padding, norms: norms)
        }
    }

    /// Adds gradients that are not rows: by their factors or by their answers to the two questions.
    ///
    /// What a type outside of this package answers is nothing that an exact sum can rest on: its gradients are written
    /// out.
    private func addAnswers(
        of gradients: some PerExampleGradients, under scale: ParameterVector?, padding: [Bool]?,
        norms: UnsafeMutableBufferPointer<Double>?
    ) {
        switch sum {
        case .floatingPoint(let values):
            addAnswers(of: gradients, under: scale, padding: padding, norms: norms, to: values)
        case .exact(let sum, let grid):
            if let factored = gradients as? FactoredGradients {
                FactoredGridPass(
                    gradients: factored, scale: .elements(scale), bounds: bounds, grid: grid, padding: padding
                ).run(sum: sum, norms: norms)
            } else {
                forEachBlock(of: gradients, columns: parameterLayout.count, norms: norms) { rows, examples, norms in
                    // The rows of a block lie one after the other.
                    let block = DenseRows(
                        block: rows[0].baseAddress!, exampleCount: examples.count, layout: parameterLayout)
                    add(block, under: scale, padding: padding.map { Array($0[examples]) }, norms: norms)
                }
            }
        }
    }

    /// Asks the two questions about the whole microbatch, one after the other.
    private func addAnswers(
        of gradients: some PerExampleGradients, under scale: ParameterVector?, padding: [Bool]?,
        norms: UnsafeMutableBufferPointer<Double>?, to sum: AlignedStorage<Double>
    ) {
        let groups = bounds.groups.count
        let examples = 0..<gradients.exampleCount
        // A norm that nobody writes must not read as small.
        var table = [Double](repeating: .nan, count: examples.count * groups)
        var span = table.mutableSpan
        gradients.squaredNorms(of: examples, under: scale, groups: bounds.groups, into: &span)
        if let norms { _ = norms.update(fromContentsOf: table) }
        for example in examples {
            table.withUnsafeMutableBufferPointer { table in
                bounds.replaceSquaredNorms(
                    UnsafeMutableBufferPointer(rebasing: table[example * groups..<(example + 1) * groups]),
                    isPadding: padding?[example] ?? false)
            }
        }
        var clipped = ClippedSum(reusing: sum)
        gradients.addWeightedSum(of: examples, clipFactors: table.span, groups: bounds.groups, to: &clipped)
    }

    /// Maps gradients into the transformed space, a block of rows at a time, and adds them as dense rows there.
    private func addMapped(
        _ gradients: some PerExampleGradients, by map: some GeneralTransform, padding: [Bool]?,
        norms: UnsafeMutableBufferPointer<Double>?
    ) {
        let (from, to) = (parameterLayout.count, bounds.layout.count)
        var mapped = Matrix(rows: blockRows(columns: from + to), columns: to)
        forEachBlock(of: gradients, columns: from + to, norms: norms) { rows, examples, norms in
            Self.map(rows, by: map, into: &mapped)
            mapped.withUnsafeElements { elements in
                let block = DenseRows(block: elements.baseAddress!, exampleCount: examples.count, layout: bounds.layout)
                add(block, under: nil, padding: padding.map { Array($0[examples]) }, norms: norms)
            }
        }
    }

    /// Few enough rows that a block of them stays in cache.
    func blockRows(columns: Int) -> Int { max(8, min(256, (4 << 20) / max(1, 4 * columns))) }

    /// Calls `body` with the gradients written out, block by block, and with the place for their norms.
    private func forEachBlock(
        of gradients: some PerExampleGradients, columns: Int, norms: UnsafeMutableBufferPointer<Double>?,
        _ body: (
            _ rows: [UnsafeBufferPointer<Float>], _ examples: Range<Int>, _ norms: UnsafeMutableBufferPointer<Double>?
        ) -> Void
    ) {
        let (groups, length, blockRows) = (bounds.groups.count, parameterLayout.count, blockRows(columns: columns))
        var gathered = Matrix(rows: gradients is DenseRows ? 0 : blockRows, columns: length)
        for begin in stride(from: 0, to: gradients.exampleCount, by: blockRows) {
            let examples = begin..<min(begin + blockRows, gradients.exampleCount)
            let blockNorms = norms.map {
                UnsafeMutableBufferPointer(rebasing: $0[begin * groups..<examples.upperBound * groups])
            }
            if let dense = gradients as? DenseRows {
                body(
                    examples.map { UnsafeBufferPointer(start: dense.row($0), count: length) }, examples, blockNorms)
                continue
            }
            for example in examples {
                gathered.withMutableRow(example - begin) {
                    $0.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
                    gradients.copyGradient(of: example, into: &$0)
                }
            }
            gathered.withUnsafeElements { elements in
                let rows = (0..<examples.count).map {
                    UnsafeBufferPointer(rebasing: elements[$0 * length..<($0 + 1) * length])
                }
                body(rows, examples, blockNorms)
            }
        }
    }

    /// Maps each row by itself, rows shared among threads.
    private static func map(
        _ rows: [UnsafeBufferPointer<Float>], by map: some GeneralTransform, into mapped: inout Matrix
    ) {
        let columns = mapped.columns
        mapped.withUnsafeMutableElements { mapped in
            // Members write disjoint rows.
            nonisolated(unsafe) let mapped = mapped
            let work = rows.count * (map.parameterLayout.count + columns)
            Threads.withTeam(of: min(rows.count, work / Threads.workPerThread(1 << 15))) { member in
                for row in member.share(of: 0..<rows.count) {
                    let image = UnsafeMutableBufferPointer(rebasing: mapped[row * columns..<(row + 1) * columns])
                    // A map that writes only what is not zero must not inherit the block before.
                    image.update(repeating: 0)
                    var span = image.mutableSpan
                    Threads.withoutTeams { map.transform(rows[row].span, into: &span) }
                }
            }
        }
    }
}
