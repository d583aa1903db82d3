import PyTrees
import Requirements

/// The mean over positions of ln Σ_j e^{y_j} − y_t; positions whose label is negative do not count.
struct SoftmaxCrossEntropy: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let (scores, labels) = (inputs[0], inputs[1])
        require(
            !scores.isEmpty && Array(scores.dropLast()) == labels,
            "Scores of shape \(scores) do not fit labels of shape \(labels): they have one more dimension, the classes.")
        return []
    }

    func isDifferentiable(input index: Int) -> Bool { index == 0 }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let classes = pass.inputShapes[0].last!
        pass.forEachExample(work: 8 * pass.count(ofInput: 0)) { example in
            let (scores, labels) = (pass.input(0, of: example), pass.input(1, of: example))
            var (sum, count) = (S.zero, 0)
            for position in labels.indices where labels[position] >= 0 {
                sum += Self.crossEntropy(
                    scores.baseAddress! + position * classes, classes: classes, target: Int(labels[position]),
                    outputGradients: nil)
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
            let count = labels.count { $0 >= 0 }
            let factor = pass.outputGradient(of: example)[0] / S(max(1, count))
            for position in labels.indices {
                let target = gradient.baseAddress! + position * classes
                guard labels[position] >= 0 else {
                    target.update(repeating: 0, count: classes)
                    continue
                }
                _ = Self.crossEntropy(
                    scores.baseAddress! + position * classes, classes: classes, target: Int(labels[position]),
                    outputGradients: target)
                if factor != 1 { for index in 0..<classes { target[index] *= factor } }
            }
        }
    }

    /// One loss, and its derivatives by the scores where they are asked for.
    ///
    /// No exponential overflows: scores are taken relative to the highest one.
    static func crossEntropy<S: Real>(
        _ scores: UnsafePointer<S>, classes: Int, target: Int, outputGradients: UnsafeMutablePointer<S>?
    ) -> S {
        require(target < classes, "The class \(target) lies outside of 0..<\(classes).")
        var top = 0
        for index in 0..<classes where scores[index] > scores[top] { top = index }
        // Apart from the summand 1 of the highest score, so that neither a small loss nor a small error is rounded
        // away.
        var (others, wrong) = (S.zero, S.zero)
        for index in 0..<classes {
            let weight = S.exp(scores[index] - scores[top])
            if index != top { others += weight }
            if index != target { wrong += weight }
            outputGradients?[index] = weight
        }
        if let outputGradients {
            let factor = 1 / (1 + others)
            for index in 0..<classes { outputGradients[index] *= factor }
            outputGradients[target] = -wrong * factor
        }
        return (scores[top] - scores[target]) + S.log1p(others)
    }
}

/// ln Σ_j e^{y_j} − y_t, for scores y of classes and a class t; the mean of it where scores have positions.
///
/// Labels that are negative, as those of padding, are ignored: they count neither in the sum nor in the mean, and the
/// gradients of their scores are exactly zero. Traps unless scores have the shape of the labels and one dimension more.
public func softmaxCrossEntropy(_ scores: Value, _ labels: Indices) -> Loss {
    let loss = scores.applying(
        SoftmaxCrossEntropy(), inputs: [(labels.node, labels.shape)], mask: nil)
    return Loss(loss, outputs: scores, readAs: .softmaxCrossEntropy)
}
