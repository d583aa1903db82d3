import Requirements

/// f(x), number by number.
struct Elementwise: Operation {
    enum Function: Hashable, Sendable {
        case activation(Activation)
        case exponential, logarithm, square, squareRoot, reciprocal
    }

    let function: Function

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }

    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int {
        if case .activation(let activation) = function, activation.keepsDerivatives { return inputs[0].reduce(1, *) }
        return 0
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        withUnsafeTemporaryAllocation(of: S.self, capacity: pass.outputCount) { zeros in
            zeros.initialize(repeating: 0)
            pass.forEachExample(work: 4 * pass.outputCount) { example in
                let (x, y) = (pass.input(0, of: example), pass.output(of: example))
                switch function {
                case .activation(let activation):
                    _ = y.update(fromContentsOf: x)
                    activation.apply(
                        to: y.baseAddress!, bias: zeros.baseAddress!,
                        derivatives: pass.saved(of: example).baseAddress!,
                        Block(rows: 1, count: y.count, stride: y.count))
                case .exponential: for index in x.indices { y[index] = S.exp(x[index]) }
                case .logarithm: for index in x.indices { y[index] = S.log(x[index]) }
                case .square: for index in x.indices { y[index] = x[index] * x[index] }
                case .squareRoot: for index in x.indices { y[index] = x[index].squareRoot() }
                case .reciprocal: for index in x.indices { y[index] = 1 / x[index] }
                }
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample(work: 4 * pass.forward.outputCount) { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            let (x, y) = (pass.input(0, of: example), pass.output(of: example))
            let error = pass.outputGradient(of: example)
            switch function {
            case .activation(let activation):
                _ = gradient.update(fromContentsOf: error)
                activation.multiplyByDerivative(
                    gradient.baseAddress!, outputs: y.baseAddress!,
                    derivatives: UnsafePointer(pass.saved(of: example).baseAddress!),
                    Block(rows: 1, count: y.count, stride: y.count))
            case .exponential: for index in x.indices { gradient[index] = error[index] * y[index] }
            case .logarithm: for index in x.indices { gradient[index] = error[index] / x[index] }
            case .square: for index in x.indices { gradient[index] = 2 * error[index] * x[index] }
            case .squareRoot: for index in x.indices { gradient[index] = error[index] / (2 * y[index]) }
            case .reciprocal: for index in x.indices { gradient[index] = -error[index] * y[index] * y[index] }
            }
        }
    }
}

extension Value {
    /// f(x), number by number.
    public func activated(by activation: Activation) -> Value {
        applying(Elementwise(function: .activation(activation)), mask: mask)
    }

    /// max(x, 0).
    public func relu() -> Value { activated(by: .relu) }

    /// The hyperbolic tangent.
    public func tanh() -> Value { activated(by: .tanh) }

    /// The Gaussian error linear unit in its tanh form, arXiv 1606.08415.
    public func gelu() -> Value { activated(by: .gelu) }

    /// 1/(1 + e⁻ˣ).
    public func sigmoid() -> Value { activated(by: .temperedSigmoid(scale: 1, temperature: 1, offset: 0)) }

    /// eˣ.
    public func exponential() -> Value { applying(Elementwise(function: .exponential), mask: mask) }

    /// ln x, for numbers above 0.
    public func logarithm() -> Value { applying(Elementwise(function: .logarithm), mask: mask) }

    /// x².
    public func squared() -> Value { applying(Elementwise(function: .square), mask: mask) }

    /// √x, for numbers above 0.
    public func squareRoot() -> Value { applying(Elementwise(function: .squareRoot), mask: mask) }

    /// 1/x, for numbers other than 0.
    public func reciprocal() -> Value { applying(Elementwise(function: .reciprocal), mask: mask) }
}
