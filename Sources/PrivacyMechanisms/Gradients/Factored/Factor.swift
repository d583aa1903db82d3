import LinearAlgebra
import PyTrees

/// A part with its leaves looked up: where its elements lie among the columns.
enum Factor: Sendable {
    /// a_i e_iᵀ in `columns`, row-major.
    case outer(columns: Range<Int>, activations: Matrix, errors: Matrix)
    /// Σ_t a_it e_itᵀ in `columns`, row-major.
    case sequence(columns: Range<Int>, activations: Matrix, errors: Matrix, positions: Int)
    /// Errors added to the rows of a table.
    case embedding(columns: Range<Int>, indices: [Int], errors: Matrix, positions: Int)
    /// Elements as they are, from column `offset` of the matrix on.
    case rows(columns: Range<Int>, matrix: Matrix, offset: Int)
    /// Σ_t e_it: the bias of a layer with positions.
    case positionSum(columns: Range<Int>, errors: Matrix, positions: Int)

    /// Where the elements lie: one leaf.
    var columns: Range<Int> {
        switch self {
        case .outer(let columns, _, _), .sequence(let columns, _, _, _), .embedding(let columns, _, _, _),
            .rows(let columns, _, _), .positionSum(let columns, _, _):
            columns
        }
    }
}

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

    mutating func factors(of part: FactoredGradients.Part) throws(PrivacyMechanismError) -> [Factor] {
        switch part {
        case .dense(let kernel, let bias, let activations, let errors):
            let columns = try take(kernel, shape: [activations.columns, errors.columns])
            try check(activations, rows: exampleCount, at: kernel)
            try check(errors, rows: exampleCount, at: kernel)
            let outer = Factor.outer(columns: columns, activations: activations, errors: errors)
            guard let bias else { return [outer] }
            return [outer, .rows(columns: try take(bias, shape: [errors.columns]), matrix: errors, offset: 0)]
        case .sequence(let kernel, let bias, let activations, let errors, let positions):
            let columns = try take(kernel, shape: [activations.columns, errors.columns])
            let rows = try rowCount(positions: positions, at: kernel)
            try check(activations, rows: rows, at: kernel)
            try check(errors, rows: rows, at: kernel)
            let sequence = Factor.sequence(
                columns: columns, activations: activations, errors: errors, positions: positions)
            guard let bias else { return [sequence] }
            let biasColumns = try take(bias, shape: [errors.columns])
            return [sequence, .positionSum(columns: biasColumns, errors: errors, positions: positions)]
        case .embedding(let table, let indices, let errors, let positions):
            let leaf = try leaf(at: table)
            let rows = try rowCount(positions: positions, at: table)
            guard let tableRows = leaf.shape.first, leaf.shape.count == 2 else {
                throw .leafShapeMismatch(path: table, shape: leaf.shape, expected: [0, errors.columns])
            }
            let columns = try take(table, shape: [tableRows, errors.columns])
            try check(errors, rows: rows, at: table)
            guard indices.count == rows else {
                throw .factorRowCountMismatch(path: table, rows: indices.count, expected: rows)
            }
            if let index = indices.first(where: { $0 < -1 || $0 >= tableRows }) {
                throw .indexOutsideTable(path: table, index: index, rows: tableRows)
            }
            return [.embedding(columns: columns, indices: indices, errors: errors, positions: positions)]
        case .rows(let leaves, let matrix):
            return try rows(of: leaves, in: matrix)
        }
    }

    private mutating func rows(
        of paths: [TreePath], in matrix: Matrix
    ) throws(PrivacyMechanismError) -> [Factor] {
        var offset = 0
        var factors: [Factor] = []
        for path in paths {
            let columns = try take(path, shape: nil)
            if let last = factors.last, last.columns.upperBound != columns.lowerBound {
                throw .leavesNotConsecutive(path)
            }
            factors.append(.rows(columns: columns, matrix: matrix, offset: offset))
            offset += columns.count
        }
        guard matrix.columns == offset else {
            throw .rowLengthMismatch(columns: matrix.columns, layoutCount: offset)
        }
        if let path = paths.first { try check(matrix, rows: exampleCount, at: path) }
        return factors
    }

    private func leaf(at path: TreePath) throws(PrivacyMechanismError) -> TreeLayout.Leaf {
        guard let leaf = layout[path] else { throw .unknownLeaf(path) }
        return leaf
    }

    /// The leaf's columns; nil as shape takes any.
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

    private func check(_ matrix: Matrix, rows: Int, at path: TreePath) throws(PrivacyMechanismError) {
        guard matrix.rows == rows else {
            throw .factorRowCountMismatch(path: path, rows: matrix.rows, expected: rows)
        }
    }
}
