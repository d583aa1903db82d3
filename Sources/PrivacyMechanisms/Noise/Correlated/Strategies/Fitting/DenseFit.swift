import Foundation
import LinearAlgebra
import Requirements

/// The dense strategy with the least mean error × sens²: a convex problem in X = CᵀC (arXiv 2306.08153).
///
/// error = tr(A X⁻¹ Aᵀ)/n, and its gradient is −(AX⁻¹)ᵀ(AX⁻¹)/n. The sensitivity is kept constant:
///
/// - one participation: the diagonal is 1;
/// - participations at least b apart: the diagonal is 1, and X has b bands, as C then has;
/// - epochs of b: entries with i ≡ j mod b and i ≠ j are 0, and the diagonal's sum over each class mod b is the same.
///
/// These are linear conditions. L-BFGS starts from a matrix that fulfils them, the one of a banded Toeplitz strategy
/// whose columns are scaled; and gradients are projected on the directions that keep them: so are all its steps.
struct DenseFit {
    private let goal: StrategyGoal
    /// Places below the diagonal that need not be 0.
    private let free: [(row: Int, column: Int)]
    /// The diagonal's places whose sum is kept.
    private let classes: [[Int]]
    /// What the conditions keep.
    private let squaredSensitivity: Double

    /// Throws unless the mean counts and there are at most 4096 steps.
    init(_ goal: StrategyGoal) throws(PrivacyMechanismError) {
        let n = try StrategyCheck.count(goal.steps, "The number of steps of a dense strategy", in: DenseStrategy.orders)
        guard goal.objective == .mean else {
            throw .invalidStrategy(
                name: "The objective of a dense strategy", value: goal.objective.rawValue, allowed: "mean")
        }
        self.goal = goal
        let (k, b) = goal.participation.worstColumns(steps: n)
        let isEpochs = if case .epochs = goal.participation { k > 1 } else { false }
        classes = isEpochs ? (0..<b).map { Array(stride(from: $0, to: n, by: b)) } : (0..<n).map { [$0] }
        squaredSensitivity = Double(k)
        free = (0..<n).flatMap { row in
            (isEpochs ? 0..<row : max(0, row - b + 1)..<row).filter { !isEpochs || (row - $0) % b != 0 }
                .map { (row, $0) }
        }
    }

    func strategy(progress: (Int, Double) -> Void) throws(PrivacyMechanismError) -> DenseStrategy {
        let start = try start()
        // Changes of point and gradient are kept in at most 256 MB.
        let search = LBFGS(memory: max(3, min(15, (1 << 24) / start.count)), tolerance: 1e-6)
        let report = { (iteration: Int, value: Double) in
            progress(iteration, (exp(value) * squaredSensitivity).squareRoot())
        }
        return try DenseStrategy(rows: factor(search.minimum(from: start, progress: report, of: loss).point))
    }

    /// X = CᵀC of the best Toeplitz strategy of b bands, whose columns are scaled to what the diagonal has to be.
    private func start() throws(PrivacyMechanismError) -> [Double] {
        let (n, bands) = (goal.steps, goal.participation.worstColumns(steps: goal.steps).separation)
        let toeplitz = try BandedToeplitzFit.strategy(bands: bands, goal: goal) { _, _ in }
        var lower = SquareMatrix(order: n)
        for row in 0..<n {
            for column in max(0, row - bands + 1)...row { lower[row, column] = toeplitz.coefficients[row - column] }
        }
        let gram = lower.gram()
        let most = classes.map(\.count).max()!
        var scales = [Double](repeating: 0, count: n)
        for places in classes {
            let square = Double(most) / Double(places.count)
            for place in places { scales[place] = (square / gram[place, place]).squareRoot() }
        }
        return (0..<n).map { scales[$0] * scales[$0] * gram[$0, $0] }
            + free.map { scales[$0.row] * scales[$0.column] * gram[$0.row, $0.column] }
    }

    /// X, from its diagonal and its free places.
    private func matrix(_ point: [Double]) -> SquareMatrix {
        var x = SquareMatrix(order: goal.steps)
        for index in 0..<goal.steps { x[index, index] = point[index] }
        for (place, value) in zip(free, point.dropFirst(goal.steps)) {
            x[place.row, place.column] = value
            x[place.column, place.row] = value
        }
        return x
    }

    /// The logarithm of the error; infinite unless X is positive definite.
    private func loss(_ point: [Double], gradient: inout [Double]) -> Double {
        let n = goal.steps
        guard let factor = matrix(point).choleskyFactor() else { return .infinity }
        var product = factor.inverseOfSquare()
        goal.workload.apply(toColumnsOf: &product.elements, order: n)
        let w = goal.workload.coefficients(n)
        var sum = 0.0
        for row in 0..<n {
            for column in 0...row { sum += w[row - column] * product[row, column] }
        }
        let gram = product.gram()
        for places in classes {
            let mean = places.reduce(0) { $0 + gram[$1, $1] } / Double(places.count)
            for place in places { gradient[place] = -(gram[place, place] - mean) / sum }
        }
        // A place stands for the one on the other side of the diagonal, too.
        for (index, place) in free.enumerated() { gradient[n + index] = -2 * gram[place.row, place.column] / sum }
        return log(sum / Double(n))
    }

    /// The rows of C with CᵀC = X: with J the reversal, JXJ = LLᵀ and C = JLᵀJ.
    private func factor(_ point: [Double]) -> [[Double]] {
        let (n, x) = (goal.steps, matrix(point))
        var reversed = x
        for row in 0..<n {
            for column in 0..<n { reversed[row, column] = x[n - 1 - row, n - 1 - column] }
        }
        guard let lower = reversed.choleskyFactor() else {
            fail("A matrix of order \(n) that had a Cholesky factor has none in reverse order.")
        }
        return (0..<n).map { row in (0...row).map { lower[n - 1 - $0, n - 1 - row] } }
    }
}
