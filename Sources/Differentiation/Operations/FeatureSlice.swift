import Requirements

/// Some of the features of every position, one after the other.
struct FeatureSlice: Operation {
    let range: Range<Int>

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let shape = inputs[0]
        require(
            range.lowerBound >= 0 && range.upperBound <= (shape.last ?? 0),
            "A value of shape \(shape) has no features \(range): its last dimension counts them.")
        return shape.dropLast() + [range.count]
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let features = pass.inputShapes[0].last!
        pass.forEachExample { example in
            let (input, output) = (pass.input(0, of: example).baseAddress!, pass.output(of: example))
            for position in 0..<(range.isEmpty ? 0 : output.count / range.count) {
                (output.baseAddress! + position * range.count).update(
                    from: input + position * features + range.lowerBound, count: range.count)
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let features = pass.forward.inputShapes[0].last!
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            gradient.update(repeating: 0)
            let error = pass.outputGradient(of: example)
            for position in 0..<(range.isEmpty ? 0 : error.count / range.count) {
                (gradient.baseAddress! + position * features + range.lowerBound).update(
                    from: error.baseAddress! + position * range.count, count: range.count)
            }
        }
    }
}

extension Value {
    /// The features `range` of every position: shape `[…, range.count]`. Traps unless the value has them.
    public func features(_ range: Range<Int>) -> Value { applying(FeatureSlice(range: range)) }
}
