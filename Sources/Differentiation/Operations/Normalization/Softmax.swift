import Requirements

/// e^{x_i} / Σ_j e^{x_j} over features, at every position.
struct Softmax: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        requireFeatures(inputs[0])
        return inputs[0]
    }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let count = pass.outputShape.last!
        withUnsafeTemporaryAllocation(of: S.self, capacity: count) { zeros in
            zeros.initialize(repeating: 0)
            pass.forEachExample(work: 4 * pass.outputCount) { example in
                let output = pass.output(of: example)
                _ = output.update(fromContentsOf: pass.input(0, of: example))
                S.softmax(
                    output.baseAddress!, scale: 1, mask: zeros.baseAddress!,
                    Rows(pass.outputCount / max(1, count), of: count))
            }
        }
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let (count, all) = (pass.forward.outputShape.last!, pass.forward.outputCount)
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            _ = gradient.update(fromContentsOf: pass.outputGradient(of: example))
            S.softmaxBackward(
                gradient.baseAddress!, probabilities: pass.output(of: example).baseAddress!, scale: 1,
                Rows(all / max(1, count), of: count))
        }
    }
}

/// x_i − ln Σ_j e^{x_j} over features, at every position.
struct LogSoftmax: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        requireFeatures(inputs[0])
        return inputs[0]
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let count = pass.outputShape.last!
        pass.forEachExample(work: 4 * pass.outputCount) { example in
            for begin in stride(from: 0, to: pass.outputCount, by: max(1, count)) {
                let input = pass.input(0, of: example).baseAddress! + begin
                let output = pass.output(of: example).baseAddress! + begin
                let top = indexOfLargest(input, count)
                _ = S.exponentials(of: input, minus: input[top], count, into: output)
                // Apart from the summand 1 of the largest, so that a logarithm near 0 is not rounded away.
                output[top] = 0
                let rest = S.log1p(S.sum(output, count))
                for index in 0..<count { output[index] = (input[index] - input[top]) - rest }
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let (count, all) = (pass.forward.outputShape.last!, pass.forward.outputCount)
        pass.forEachExample(work: 4 * all) { example in
            guard let gradient = pass.inputGradient(0, of: example)?.baseAddress else { return }
            _ = S.exponentials(of: pass.output(of: example).baseAddress!, minus: 0, all, into: gradient)
            for begin in stride(from: 0, to: all, by: max(1, count)) {
                let errors = pass.outputGradient(of: example).baseAddress! + begin
                let sum = S.sum(errors, count)
                for index in 0..<count { gradient[begin + index] = errors[index] - gradient[begin + index] * sum }
            }
        }
    }
}

/// The first of the largest numbers.
func indexOfLargest<S: Real>(_ numbers: UnsafePointer<S>, _ count: Int) -> Int {
    var top = 0
    for index in 0..<count where numbers[index] > numbers[top] { top = index }
    return top
}

private func requireFeatures(_ shape: [Int]) {
    require((shape.last ?? 0) > 0, "A value of shape \(shape) has no features for a softmax.")
}

extension Value {
    /// e^{x_i} / Σ_j e^{x_j} over features, at every position. No exponential overflows. Traps for a single number.
    public func softmax() -> Value { applying(Softmax()) }

    /// x_i − ln Σ_j e^{x_j} over features, at every position. No exponential overflows. Traps for a single number.
    public func logSoftmax() -> Value { applying(LogSoftmax()) }
}
