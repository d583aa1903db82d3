import LinearAlgebra
import PyTrees
import Requirements

extension ClippedAggregate {
    /// Adds a microbatch in which several rows may be one unit's: what is transformed, clipped and added is the mean of
    /// each unit's gradients.
    ///
    ///     u_j = T((1/|R_j|) Σ_{i ∈ R_j} g_i)         for the rows R_j of unit j
    ///
    /// Rows are averaged in Float64 and rounded to Float32 once. The factors of factored gradients are put beside each
    /// other as positions of one example, with output gradients that are divided by |R_j|: no row is written out.
    ///
    /// **Guarantee:** whatever the gradients of one unit are, taking the unit away moves the sum by at most
    /// ``sensitivity(for:)`` of add-or-remove-one, and replacing all of them by others by at most that of replace-one.
    ///
    /// - What is clipped is the mean itself, as it was rounded, so that no bound rests on the averaging.
    /// - The mean of a unit, in every bit, is a function of the unit's own gradients.
    /// - A unit with a gradient that has a NaN or an infinity contributes exactly zero.
    ///
    /// Traps if the gradients have another layout than the transform takes, unless there is a gradient for each of the
    /// units' rows, and if there is padding, unless it has a flag for each unit.
    ///
    /// - Parameters:
    ///   - gradients: the rows of all units.
    ///   - units: the rows of each unit.
    ///   - padding: true for units that are only there to fill the batch; nil if none are.
    public mutating func add(_ gradients: some PerExampleGradients, meansOf units: UnitRows, padding: [Bool]? = nil) {
        require(
            units.rowCount == gradients.exampleCount,
            "Units of \(units.rowCount) rows do not fit \(gradients.exampleCount) gradients.")
        require(
            padding.map { $0.count == units.unitCount } ?? true,
            "\(padding?.count ?? 0) padding flags do not fit \(units.unitCount) units.")
        if units.unitCount == units.rowCount {
            add(gradients, padding: padding)
        } else if let factored = gradients as? FactoredGradients {
            // Unit by unit of one size: how a unit is treated depends on its own number of rows alone.
            let bySize = Dictionary(grouping: 0..<units.unitCount) { units[$0].count }
            for (size, members) in bySize.sorted(by: { $0.key < $1.key }) {
                add(
                    factored.means(of: members.map { units[$0] }, size: size),
                    padding: padding.map { padding in members.map { padding[$0] } })
            }
        } else {
            addWrittenMeans(of: gradients, units, padding: padding)
        }
    }

    private mutating func addWrittenMeans(of gradients: some PerExampleGradients, _ units: UnitRows, padding: [Bool]?) {
        let layout = gradients.layout
        var block = Matrix(rows: min(units.unitCount, blockRows(columns: layout.count)), columns: layout.count)
        let blockRows = block.rows
        for begin in stride(from: 0, to: units.unitCount, by: blockRows) {
            let members = begin..<min(begin + blockRows, units.unitCount)
            block.withUnsafeMutableElements { elements in
                RowMeans(rows: members.map { units[$0] }).write(of: gradients, into: elements.baseAddress!)
            }
            block.withUnsafeElements { elements in
                let means = DenseRows(block: elements.baseAddress!, exampleCount: members.count, layout: layout)
                add(means, padding: padding.map { Array($0[members]) })
            }
        }
    }
}
