import Requirements

/// The token that follows each position; −1 where either of the two is padding, and at the last position.
struct NextTokens: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }

    func isDifferentiable(input index: Int) -> Bool { false }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let (ids, mask) = (pass.input(0, of: example), pass.input(1, of: example))
            let next = pass.output(of: example)
            for index in next.indices {
                let isThere = index + 1 < next.count && mask[index] > 0 && mask[index + 1] > 0
                next[index] = isThere ? ids[index + 1] : -1
            }
        }
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {}
}

/// The mean over positions of ln Σ_j e^{y_tj} − y_t,x(t+1): the loss of predicting each token from those before it.
///
/// Neither padding nor what follows it is predicted; an example of fewer than two tokens has the loss 0. The mean over
/// examples is the logarithm of the perplexity. Scores at a position must not depend on later tokens: use causal
/// attention. Traps unless scores have the shape `[positions, vocabulary]` for tokens of shape `[positions]`.
public func nextTokenLoss(_ scores: Value, _ tokens: Indices) -> Loss {
    let loss = softmaxCrossEntropy(scores, tokens.next)
    return Loss(loss.value, outputs: scores, readAs: .nextToken)
}

extension Indices {
    /// The token that follows each position. Traps for indices that are no sequence.
    var next: Indices {
        guard let mask else { fail("Indices of shape \(shape) are no sequence, and none follows another.") }
        let next = recorder.append(NextTokens(), inputs: [(node, shape), (mask, shape)], parameters: [])
        return Indices(recorder: recorder, node: next.node, shape: shape, mask: mask)
    }
}
