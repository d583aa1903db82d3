import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

extension TreeLayout {
    /// A layout of leaves that come, in order, from a valid one.
    init(checked leaves: [(path: TreePath, shape: [Int])]) {
        do throws(PyTreeError) {
            try self.init(leaves)
        } catch {
            fail(error.description)
        }
    }
}

extension GeneralTransform {
    /// Calls `body` with each row's number, rows shared among threads.
    func forEachRow(of count: Int, _ body: (Int) -> Void) {
        // Below this many elements a second thread costs more to wake than it saves.
        let elementsPerThread = 1 << 15
        Threads.withTeam(of: max(1, min(count, count * parameterLayout.count / elementsPerThread))) { member in
            for row in member.share(of: 0..<count) { body(row) }
        }
    }
}
