import PyTrees
import Requirements

/// The mean over positions of ln Σ_j e^{y_j} − y_t; positions whose label is negative, or that a third input says are
/// padding, do not count.
struct SoftmaxCrossEntropy: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let (scores, labels) = (inputs[0], inputs[1])
        require(
            !scores.isEmpty && Array(scores.dropLast()) == labels,
            "Scores of shape \(scores) do not fit labels of shape \(labels): they have one more dimension, the "
                + "classes.")
        return []
    }

    func isDifferentiable(input index: Int) -> Bool { index == 0 }

    /// Whether the label at a position counts.
    private func counted<S: Real>(
        _ labels: UnsafeBufferPointer<S>, _ mask: UnsafeBufferPointer<S>?, _ position: Int
    ) -> Bool {
        labels[position] >= 0 && (mask.map { $0[position] > 0 } ?? true)
    }

    private func mask<S: Real>(_ pass: ForwardPass<S>, of example: Int) -> UnsafeBufferPointer<S>? {
        pass.inputShapes.count > 2 ? pass.input(2, of: example) : nil
    }

    /// The exponentials of one position's scores.
    func scratchCount(inputs: [[Int]], parameters: [[Int]]) -> Int { inputs[0].last! }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let classes = pass.inputShapes[0].last!
        pass.withScratch(work: 8 * pass.count(ofInput: 0)) { example, scratch in
            let (scores, labels) = (pass.input(0, of: example), pass.input(1, of: example))
            let mask = mask(pass, of: example)
            var (sum, count) = (S.zero, 0)
            for position in labels.indices where counted(labels, mask, position) {
                sum += Self.crossEntropy(
                    scores.baseAddress! + position * classes, classes: classes, target: Int(labels[position]),
                    outputGradients: scratch.baseAddress!, factor: nil)
                count += 1
            }
            pass.output(of: example)[0] = count == 0 ? 0 : sum / S(count)
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let classes = pass.forward.inputShapes[0].last!
        pass.forEachExample(work: 8 * pass.forward.count(ofInput: 0)) { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            let (scores, labels) = (pass.input(0, of: example), pass.input(1, of: example))
            let mask = mask(pass.forward, of: example)
            let count = labels.indices.count { counted(labels, mask, $0) }
            let factor = pass.outputGradient(of: example)[0] / S(max(1, count))
            for position in labels.indices {
                let target = gradient.baseAddress! + position * classes
                guard counted(labels, mask, position) else {
                    target.update(repeating: 0, count: classes)
                    continue
                }
                _ = Self.crossEntropy(
                    scores.baseAddress! + position * classes, classes: classes, target: Int(labels[position]),
                    outputGradients: target, factor: factor)
            }
        }
    }

    /// One loss, and `factor` times its derivatives by the scores where they are asked for; elsewhere the memory for
    /// them is used for other numbers.
    ///
    /// No exponential overflows: scores are taken relative to the highest one.
    static func crossEntropy<S: Real>(
        _ scores: UnsafePointer<S>, classes: Int, target: Int, outputGradients weights: UnsafeMutablePointer<S>,
        factor: S? = 1
    ) -> S {
        require(target < classes, "The class \(target) lies outside of 0..<\(classes).")
        let top = indexOfLargest(scores, classes)
        _ = S.exponentials(of: scores, minus: scores[top], classes, into: weights)
        // Apart from the summand 1 of the highest score, so that neither a small loss nor a small error is rounded
        // away.
        weights[top] = 0
        let others = S.sum(weights, classes)
        let loss = (scores[top] - scores[target]) + S.log1p(others)
        guard let factor else { return loss }
        let share = factor / (1 + others)
        weights[target] = 0
        let wrong = S.sum(weights, classes) + (top == target ? 0 : 1)
        weights[top] = 1
        for index in 0..<classes { weights[index] *= share }
        weights[target] = -wrong * share
        return loss
    }
}

extension SoftmaxCrossEntropy: IdOperation {
    func ids(inputs: [[Int]], parameters: [[Int]]) -> (input: Int, limit: Int) { (1, inputs[0].last!) }
}

/// ln Σ_j e^{y_j} − y_t, for scores y of classes and a class t; the mean of it where scores have positions.
///
/// Labels that are negative, and those of padding, are ignored: they count neither in the sum nor in the mean, and the
/// gradients of their scores are exactly zero. Traps unless scores have the shape of the labels and one dimension more.
public func softmaxCrossEntropy(_ scores: Value, _ labels: Indices) -> Loss {
    let loss = scores.applying(
        SoftmaxCrossEntropy(),
        inputs: [(labels.node, labels.shape)] + (labels.mask.map { [($0, labels.shape)] } ?? []), mask: nil)
    return Loss(loss, outputs: scores, readAs: .softmaxCrossEntropy)
}
