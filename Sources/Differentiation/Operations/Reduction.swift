import Requirements

/// What is reduced over.
public enum ReducedAxes: Hashable, Sendable {
    /// The last dimension: one number for each position is left.
    case features
    /// The first dimension; positions that are padding do not count.
    case positions
    /// All dimensions: one number is left. Padding does not count.
    case all
}

/// The sum, the mean, or the largest of numbers.
struct Reduction: Operation {
    enum Kind: Hashable, Sendable {
        case sum, mean, maximum
    }

    let kind: Kind
    /// What is left is `outer` × `inner` numbers, each of `length` that lie `inner` apart.
    let outer: Int
    let length: Int
    let inner: Int
    let shape: [Int]

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { shape }

    func isDifferentiable(input index: Int) -> Bool { index == 0 }

    /// For each number: how many it is made of, or which it is; −1 where there is none.
    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int { outer * inner }

    /// Whether the number at `index` of one example is part of a result.
    private func isIn<S: Real>(_ index: Int, _ mask: UnsafeBufferPointer<S>?, count: Int) -> Bool {
        guard let mask else { return true }
        return mask[index / (count / mask.count)] > 0
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let (input, output) = (pass.input(0, of: example), pass.output(of: example))
            let mask = pass.inputShapes.count > 1 ? pass.input(1, of: example) : nil
            let saved = pass.saved(of: example)
            for result in 0..<outer * inner {
                let first = result / inner * length * inner + result % inner
                var (sum, count, best) = (S.zero, 0, -1)
                for step in 0..<length {
                    let index = first + step * inner
                    guard isIn(index, mask, count: input.count) else { continue }
                    if best < 0 || input[index] > input[best] { best = index }
                    sum += input[index]
                    count += 1
                }
                switch kind {
                case .sum, .mean:
                    output[result] = kind == .sum || count == 0 ? sum : sum / S(count)
                    saved[result] = S(count)
                case .maximum:
                    output[result] = best < 0 ? 0 : input[best]
                    // The number's place among the `length`, which is exact in Float32.
                    saved[result] = best < 0 ? -1 : S((best - first) / inner)
                }
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            let outputGradient = pass.outputGradient(of: example)
            let mask = pass.forward.inputShapes.count > 1 ? pass.input(1, of: example) : nil
            let saved = pass.saved(of: example)
            for result in 0..<outer * inner {
                let first = result / inner * length * inner + result % inner
                let error = outputGradient[result]
                let share = kind == .mean && saved[result] > 0 ? error / saved[result] : error
                for step in 0..<length {
                    let index = first + step * inner
                    let takesPart =
                        kind == .maximum ? saved[result] == S(step) : isIn(index, mask, count: gradient.count)
                    gradient[index] = takesPart ? share : 0
                }
            }
        }
    }
}

extension Value {
    /// The sum over features, positions, or all numbers.
    public func sum(over axes: ReducedAxes) -> Value { reduced(.sum, over: axes) }

    /// The mean over features, positions, or all numbers; 0 where there is nothing but padding.
    public func mean(over axes: ReducedAxes) -> Value { reduced(.mean, over: axes) }

    /// The largest over features, positions, or all numbers; 0 where there is nothing but padding. The gradient goes to
    /// the first of several that are equal.
    public func max(over axes: ReducedAxes) -> Value { reduced(.maximum, over: axes) }

    private func reduced(_ kind: Reduction.Kind, over axes: ReducedAxes) -> Value {
        let reduction: Reduction
        switch axes {
        case .features:
            require(!shape.isEmpty, "A single number has no features to be reduced over.")
            reduction = Reduction(
                kind: kind, outer: positionCount, length: featureCount, inner: 1, shape: Array(shape.dropLast()))
            return applying(reduction, mask: mask)
        case .positions:
            require(shape.count > 1, "A value of shape \(shape) has no positions to be reduced over.")
            reduction = Reduction(
                kind: kind, outer: 1, length: shape[0], inner: count / Swift.max(1, shape[0]),
                shape: Array(shape.dropFirst()))
        case .all:
            reduction = Reduction(kind: kind, outer: 1, length: count, inner: 1, shape: [])
        }
        return applying(reduction, inputs: maskInput, mask: nil)
    }
}
