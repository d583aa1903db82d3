import LinearAlgebra
import PyTrees

/// Looks up the leaves of parts, and checks that they fit.
struct FactorResolver {
    let layout: TreeLayout
    let exampleCount: Int
    private var isTaken: [Bool]

    init(layout: TreeLayout, exampleCount: Int) {
        self.layout = layout
        self.exampleCount = exampleCount
        isTaken = [Bool](repeating: false, count: layout.leaves.count)
    }

    /// Throws `leafWithoutGradient` unless every leaf was part of something.
    func checkEveryLeafIsTaken() throws(PrivacyMechanismError) {
        if let index = isTaken.firstIndex(of: false) { throw .leafWithoutGradient(layout.leaves[index].path) }
    }

    /// The factors of a part, one for each leaf.
    mutating func factors(of part: FactoredGradients.Part) throws(PrivacyMechanismError) -> [any GradientFactor] {
        switch part {
        case .dense(let kernel, let bias, let activations, let outputGradients):
            return try layer(kernel, bias, activations, outputGradients, positions: 1)
        case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
            return try layer(kernel, bias, activations, outputGradients, positions: positions)
        case .embedding(let table, let indices, let outputGradients, let positions):
            return [try embedding(table, indices, outputGradients, positions: positions)]
        case .rows(let leaves, let matrix):
            return try rows(leaves, matrix)
        case .joined(let leaf, let uses):
            var factors: [any GradientFactor] = []
            for use in uses { try factors.append(factor(of: leaf, use)) }
            return [JoinedFactor.join(factors, columns: try take(leaf, shape: nil), exampleCount: exampleCount)]
        case .mapped(let part, let map):
            let factors = try factors(of: part)
            guard let factor = factors.first, factors.count == 1 else {
                throw .mappedPartOfSeveralLeaves(part.leaves)
            }
            return [JoinedFactor(columns: factor.columns, exampleCount: exampleCount, uses: [factor], map: map)]
        }
    }

    /// The factor of one use of a leaf, which is not taken by it.
    private func factor(
        of leaf: TreePath, _ use: FactoredGradients.Part
    ) throws(PrivacyMechanismError) -> any GradientFactor {
        var resolver = FactorResolver(layout: layout, exampleCount: exampleCount)
        let factors = try resolver.factors(of: use)
        guard let factor = factors.first, factors.count == 1, factor.columns == layout[leaf]?.range else {
            throw .useOfAnotherLeaf(leaf)
        }
        return factor
    }

    private mutating func layer(
        _ kernel: TreePath, _ bias: TreePath?, _ activations: Matrix, _ outputGradients: Matrix, positions: Int
    ) throws(PrivacyMechanismError) -> [any GradientFactor] {
        let columns = try take(kernel, shape: [activations.columns, outputGradients.columns])
        let rows = try rowCount(positions: positions, at: kernel)
        try check(activations.rows, rows: rows, at: kernel)
        try check(outputGradients.rows, rows: rows, at: kernel)
        let factor: any GradientFactor =
            positions == 1
            ? OuterFactor(columns: columns, activations: activations, outputGradients: outputGradients)
            : SequenceFactor(
                columns: columns, activations: activations, outputGradients: outputGradients, positions: positions)
        guard let bias else { return [factor] }
        let sums = positions == 1 ? outputGradients : outputGradients.summedOverPositions(positions)
        return [factor, RowsFactor(columns: try take(bias, shape: [outputGradients.columns]), matrix: sums, offset: 0)]
    }

    private mutating func embedding(
        _ table: TreePath, _ indices: [Int], _ outputGradients: Matrix, positions: Int
    ) throws(PrivacyMechanismError) -> EmbeddingFactor {
        guard let leaf = layout[table] else { throw .unknownLeaf(table) }
        let tableRows = leaf.shape.first ?? 1
        let columns = try take(table, shape: [tableRows, outputGradients.columns])
        let rows = try rowCount(positions: positions, at: table)
        try check(outputGradients.rows, rows: rows, at: table)
        try check(indices.count, rows: rows, at: table)
        if let index = indices.first(where: { $0 < -1 || $0 >= tableRows }) {
            throw .indexOutsideTable(path: table, index: index, rows: tableRows)
        }
        return EmbeddingFactor(
            columns: columns, indices: indices, outputGradients: outputGradients, positions: positions)
    }

    private mutating func rows(
        _ paths: [TreePath], _ matrix: Matrix
    ) throws(PrivacyMechanismError) -> [any GradientFactor] {
        var factors: [RowsFactor] = []
        var offset = 0
        for path in paths {
            let columns = try take(path, shape: nil)
            if let last = factors.last, last.columns.upperBound != columns.lowerBound {
                throw .leavesNotConsecutive(path)
            }
            factors.append(RowsFactor(columns: columns, matrix: matrix, offset: offset))
            offset += columns.count
        }
        guard matrix.columns == offset else {
            throw .rowLengthMismatch(columns: matrix.columns, layoutCount: offset)
        }
        if let path = paths.first { try check(matrix.rows, rows: exampleCount, at: path) }
        return factors
    }

    /// The leaf's columns. A `shape` of nil fits any leaf.
    private mutating func take(_ path: TreePath, shape: [Int]?) throws(PrivacyMechanismError) -> Range<Int> {
        guard let index = layout.index(of: path) else { throw .unknownLeaf(path) }
        if isTaken[index] { throw .leafTakenTwice(path) }
        isTaken[index] = true
        let leaf = layout.leaves[index]
        if let shape, leaf.shape != shape {
            throw .leafShapeMismatch(path: path, shape: leaf.shape, expected: shape)
        }
        return leaf.range
    }

    private func rowCount(positions: Int, at path: TreePath) throws(PrivacyMechanismError) -> Int {
        let (rows, overflow) = exampleCount.multipliedReportingOverflow(by: positions)
        guard positions >= 1, !overflow else { throw .invalidPositions(positions, path: path) }
        return rows
    }

    private func check(_ count: Int, rows: Int, at path: TreePath) throws(PrivacyMechanismError) {
        guard count == rows else { throw .factorRowCountMismatch(path: path, rows: count, expected: rows) }
    }
}

extension Matrix {
    /// The sums of each `positions` rows, taken in Float64 and rounded once.
    ///
    /// The bias of a layer with positions has these as its gradients.
    package func summedOverPositions(_ positions: Int) -> Matrix {
        var result = Matrix(rows: rows / positions, columns: columns)
        let kernels = Kernels.active
        let ones = [Double](repeating: 1, count: positions)
        result.withUnsafeMutableElements { result in
            TaskTeam.run(tasks: rows / positions, work: count, scratchBytes: 8 * columns) { example, scratch in
                let sum = scratch.bindMemory(to: Double.self, capacity: columns)
                sum.update(repeating: 0, count: columns)
                let rows = (example * positions..<(example + 1) * positions).map(unsafeRow)
                kernels.add_weighted_rows(rows, ones, positions, 0, columns, sum)
                for column in 0..<columns { result[example * columns + column] = Float(sum[column]) }
            }
        }
        return result
    }
}
