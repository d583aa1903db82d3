import Requirements

/// The features of several values beside each other, at every position.
struct Concatenation: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        for shape in inputs {
            require(
                !shape.isEmpty && shape.dropLast() == inputs[0].dropLast(),
                "Values of shapes \(inputs[0]) and \(shape) cannot be concatenated: they may differ in features alone.")
        }
        return inputs[0].dropLast() + [inputs.reduce(0) { $0 + $1.last! }]
    }

    /// Calls `body` for each value with its features, and where they begin in the output's.
    private func forEachInput(_ shapes: [[Int]], _ body: (_ input: Int, _ features: Int, _ offset: Int) -> Void) {
        var offset = 0
        for (input, shape) in shapes.enumerated() {
            body(input, shape.last!, offset)
            offset += shape.last!
        }
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let width = pass.outputShape.last!
        pass.forEachExample { example in
            let output = pass.output(of: example).baseAddress!
            forEachInput(pass.inputShapes) { input, features, offset in
                let source = pass.input(input, of: example).baseAddress!
                for position in 0..<pass.outputCount / max(1, width) {
                    (output + position * width + offset).update(from: source + position * features, count: features)
                }
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let width = pass.forward.outputShape.last!
        pass.forEachExample { example in
            let errors = pass.outputGradient(of: example).baseAddress!
            forEachInput(pass.forward.inputShapes) { input, features, offset in
                guard let gradient = pass.inputGradient(input, of: example)?.baseAddress else { return }
                for position in 0..<pass.forward.outputCount / max(1, width) {
                    (gradient + position * features).update(from: errors + position * width + offset, count: features)
                }
            }
        }
    }
}

extension Value {
    /// The features of this value and of others beside each other: shape `[…, Σ features]`. Traps unless the shapes
    /// agree but for their last dimension.
    public func concatenated(with others: Value...) -> Value {
        applying(
            Concatenation(), inputs: others.map { ($0.node, $0.shape) },
            mask: positionMask ?? others.lazy.compactMap(\.positionMask).first)
    }
}
