import LinearAlgebra
import PyTrees
import Requirements

extension DenseRows: RestrictableGradients {
    /// The selected columns of each row, copied to `memory`; the rows themselves if all are selected.
    public func restricted(to mask: TreeMask, memory: inout Matrix) -> DenseRows {
        require(
            mask.layout == layout, "A mask of layout\n\(mask.layout)\ndoes not fit rows of layout\n\(layout)")
        if mask.selection.allSatisfy({ $0 }) { return self }
        let selected = mask.selectedLayout
        memory.reshape(rows: exampleCount, columns: selected.count)
        memory.withUnsafeMutableElements { target in
            // Members write disjoint rows.
            nonisolated(unsafe) let target = target
            Threads.withTeam(of: target.count / Threads.workPerThread(1 << 18)) { member in
                for example in member.share(of: 0..<exampleCount) {
                    var begin = example * selected.count
                    for columns in mask.selectedColumns {
                        (target.baseAddress! + begin).update(
                            from: row(example) + columns.lowerBound, count: columns.count)
                        begin += columns.count
                    }
                }
            }
        }
        do throws(PrivacyMechanismError) {
            return try DenseRows(memory, layout: selected, nonPrivateLosses: nonPrivateLosses)
        } catch {
            fail(error.description)
        }
    }
}
