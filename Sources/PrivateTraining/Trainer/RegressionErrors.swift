import LinearAlgebra

/// The errors of predicted numbers, added up over blocks of examples.
struct RegressionErrors {
    private var count = 0
    private var squaredError = 0.0
    /// The first example's targets, from which the others are counted: sums of squares then lose no digits to a mean
    /// far from zero.
    private var origin: [Double] = []
    private var sums: [Double] = []
    private var squares: [Double] = []

    /// Adds a block: predictions and targets of the same examples, both examples × numbers.
    mutating func add(_ predictions: Matrix, _ targets: Matrix) {
        if origin.isEmpty, targets.rows > 0 {
            origin = (0..<targets.columns).map { Double(targets[0, $0]) }
            sums = origin.map { _ in 0 }
            squares = sums
        }
        count += targets.rows
        for row in 0..<targets.rows {
            for column in 0..<targets.columns {
                let target = Double(targets[row, column])
                let error = Double(predictions[row, column]) - target
                squaredError += error * error
                let distance = target - origin[column]
                sums[column] += distance
                squares[column] += distance * distance
            }
        }
    }

    /// The root of the mean squared error over examples and numbers; nil if there are none.
    var rootMeanSquaredError: Double? {
        let numbers = count * origin.count
        return numbers > 0 ? (squaredError / Double(numbers)).squareRoot() : nil
    }

    /// 1 − Σ (y − t)² / Σ (t − t̄)², where t̄ is the mean of each number's targets; nil if all of them are equal.
    var rSquared: Double? {
        let total = zip(sums, squares).reduce(0) { $0 + $1.1 - $1.0 * $1.0 / Double(count) }
        return total > 0 ? 1 - squaredError / total : nil
    }
}
