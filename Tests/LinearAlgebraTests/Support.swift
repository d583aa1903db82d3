import Foundation
import LinearAlgebra
import Synchronization
@_exported import _TestSupport

/// Calls `body` with every number below `count`, each on a thread of its own, and returns when all are done; what they
/// wrote is then visible.
///
/// The end is told by an atomic number: the thread sanitizer does not see into Dispatch, and would report races.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Finished: Sendable { let count = Atomic(0) }
    let finished = Finished()
    for index in 0..<count {
        Thread.detachNewThread {
            body(index)
            finished.count.add(1, ordering: .releasing)
        }
    }
    while finished.count.load(ordering: .acquiring) < count { sched_yield() }
}

extension Matrix {
    var transposed: Matrix {
        var result = Matrix(rows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns { result[column, row] = self[row, column] }
        }
        return result
    }

    /// Where the elements lie, to see whether they were copied.
    var address: UInt { withUnsafeElements { UInt(bitPattern: $0.baseAddress) } }
}
