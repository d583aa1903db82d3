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
        switch form {
        case .identity: add(gradients, under: nil, padding: padding, norms: norms)
        case .diagonal(let scale): add(gradients, under: scale, padding: padding, norms: norms)
        case .general(let map):
            if let factored = gradients as? FactoredGradients, let mapped = map.transformed(factored) {
                require(
                    mapped.layout == bounds.layout && mapped.exampleCount == factored.exampleCount,
                    """
                    \(mapped.exampleCount) gradients of layout\n\(mapped.layout)\nare not the images of \
                    \(factored.exampleCount) in the transformed space\n\(bounds.layout)
                    """)
                addAnswers(of: mapped, under: nil, padding: padding, norms: norms)
            } else {
                addMapped(gradients, by: map, padding: padding, norms: norms)
            }
        }
    }

    private mutating func add(
        _ gradients: some PerExampleGradients, under scale: ParameterVector?, padding: [Bool]?,
        norms: UnsafeMutableBufferPointer<Double>?
    ) {
        if let rows = gradients as? DenseRows {
            DenseRowsPass(rows: rows, padding: padding, bounds: bounds, measuresPadding: norms != nil)
                .run(scale: scale, sum: sum.values.base, norms: norms?.baseAddress)
        } else {
            addAnswers(of: gradients, under: scale, padding: padding, norms: norms)
        }
    }

    /// Asks the two questions about the whole microbatch, one after the other.
    private mutating func addAnswers(
        of gradients: some PerExampleGradients, under scale: ParameterVector?, padding: [Bool]?,
        norms: UnsafeMutableBufferPointer<Double>?
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
        gradients.addWeightedSum(of: examples, clipFactors: table.span, groups: bounds.groups, to: &sum)
    }

    /// Maps gradients into the transformed space, a block of rows at a time, and adds them as dense rows there.
    private mutating func addMapped(
        _ gradients: some PerExampleGradients, by map: some GeneralTransform, padding: [Bool]?,
        norms: UnsafeMutableBufferPointer<Double>?
    ) {
        let groups = bounds.groups.count
        let (from, to) = (parameterLayout.count, bounds.layout.count)
        // Few enough rows that a block of both spaces stays in cache.
        let blockRows = max(8, min(256, (4 << 20) / max(1, 4 * (from + to))))
        let isDense = gradients is DenseRows
        var gathered = Matrix(rows: isDense ? 0 : blockRows, columns: from)
        var mapped = Matrix(rows: blockRows, columns: to)
        for begin in stride(from: 0, to: gradients.exampleCount, by: blockRows) {
            let examples = begin..<min(begin + blockRows, gradients.exampleCount)
            if let dense = gradients as? DenseRows {
                let rows = examples.map { UnsafeBufferPointer(start: dense.row($0), count: from) }
                Self.map(rows, by: map, into: &mapped)
            } else {
                for example in examples {
                    gathered.withMutableRow(example - begin) {
                        $0.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
                        gradients.copyGradient(of: example, into: &$0)
                    }
                }
                gathered.withUnsafeElements { elements in
                    let rows = (0..<examples.count).map {
                        UnsafeBufferPointer(rebasing: elements[$0 * from..<($0 + 1) * from])
                    }
                    Self.map(rows, by: map, into: &mapped)
                }
            }
            mapped.withUnsafeElements { elements in
                let rows = DenseRows(
                    block: elements.baseAddress!, exampleCount: examples.count, layout: bounds.layout)
                let blockNorms = norms.map {
                    UnsafeMutableBufferPointer(rebasing: $0[begin * groups..<examples.upperBound * groups])
                }
                add(rows, under: nil, padding: padding.map { Array($0[examples]) }, norms: blockNorms)
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
