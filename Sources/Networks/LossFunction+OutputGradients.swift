import Datasets
import LinearAlgebra
import Requirements

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension LossFunction {
    /// The loss of each example, and its derivatives by the outputs in `outputGradients` where they are asked for.
    ///
    /// No exponential overflows: scores are taken relative to the highest one. Traps unless the targets fit.
    func evaluate(
        _ outputs: Matrix, targets: Targets, outputGradients: UnsafeMutablePointer<Float>?, into losses: inout [Float]
    ) {
        preconditionFits(targets, outputs)
        let (rows, columns) = (outputs.rows, outputs.columns)
        if losses.count != rows { losses = [Float](repeating: 0, count: rows) }
        outputs.withUnsafeElements { outputs in
            targets.withUnsafe { classes, values in
                losses.withUnsafeMutableBufferPointer { losses in
                    Threads.withTeam(of: rows * columns / Threads.workPerThread(1 << 13)) { member in
                        for row in member.share(of: 0..<rows) {
                            let scores = UnsafeBufferPointer(rebasing: outputs[row * columns..<(row + 1) * columns])
                            let outputGradients = outputGradients.map { $0 + row * columns }
                            losses[row] =
                                switch self {
                                case .squaredError: Self.squared(scores, values! + row * columns, outputGradients)
                                case .logistic: Self.logistic(scores[0], classes![row], outputGradients)
                                case .softmaxCrossEntropy: Self.crossEntropy(scores, classes![row], outputGradients)
                                }
                        }
                    }
                }
            }
        }
    }

    private func preconditionFits(_ targets: Targets, _ outputs: Matrix) {
        require(
            targets.count == outputs.rows, "\(targets.count) targets do not fit outputs for \(outputs.rows) examples.")
        do throws(ModelError) {
            try check(targets, outputs: outputs.columns)
        } catch {
            fail(error.description)
        }
    }

    private static func squared(
        _ outputs: UnsafeBufferPointer<Float>, _ target: UnsafePointer<Float>,
        _ outputGradients: UnsafeMutablePointer<Float>?
    ) -> Float {
        var sum: Float = 0
        for index in outputs.indices {
            let difference = outputs[index] - target[index]
            sum += difference * difference
            outputGradients?[index] = difference
        }
        return sum / 2
    }

    private static func logistic(_ score: Float, _ target: Int, _ outputGradients: UnsafeMutablePointer<Float>?)
        -> Float
    {
        let small = exp(-abs(score))
        // The chance of the wrong class, without 1 − σ, which would lose what is small.
        let isRight = (score > 0) == (target == 1)
        outputGradients?[0] = (target == 1 ? -1 : 1) * (isRight ? small : 1) / (1 + small)
        return (isRight ? 0 : abs(score)) + log1p(small)
    }

    private static func crossEntropy(
        _ scores: UnsafeBufferPointer<Float>, _ target: Int, _ outputGradients: UnsafeMutablePointer<Float>?
    ) -> Float {
        let top = scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
        // Apart from the summand 1 of the highest score, so that neither a small loss nor a small error is rounded
        // away.
        var others: Float = 0
        var wrong: Float = 0
        for index in scores.indices {
            let weight = exp(scores[index] - scores[top])
            if index != top { others += weight }
            if index != target { wrong += weight }
            outputGradients?[index] = weight
        }
        if let outputGradients {
            let factor = 1 / (1 + others)
            for index in scores.indices { outputGradients[index] *= factor }
            outputGradients[target] = -wrong * factor
        }
        return (scores[top] - scores[target]) + log1p(others)
    }
}

extension Targets {
    /// Calls `body` with pointers to the classes or to the values, whichever there are.
    fileprivate func withUnsafe(_ body: (UnsafePointer<Int>?, UnsafePointer<Float>?) -> Void) {
        switch self {
        case .classes(let classes, _): classes.withUnsafeBufferPointer { body($0.baseAddress, nil) }
        case .values(let values): values.withUnsafeElements { body(nil, $0.baseAddress) }
        }
    }
}
