import PyTrees
import Requirements

/// The sum or difference of two values, number by number.
struct Addition: Operation {
    let isDifference: Bool

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        require(inputs[0] == inputs[1], "Values of shapes \(inputs[0]) and \(inputs[1]) cannot be added.")
        return inputs[0]
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let (left, right) = (pass.input(0, of: example), pass.input(1, of: example))
            let output = pass.output(of: example)
            for index in output.indices {
                output[index] = isDifference ? left[index] - right[index] : left[index] + right[index]
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            let outputGradient = pass.outputGradient(of: example)
            if let left = pass.inputGradient(0, of: example) { _ = left.update(fromContentsOf: outputGradient) }
            if let right = pass.inputGradient(1, of: example) {
                let sign: S = isDifference ? -1 : 1
                for index in right.indices { right[index] = sign * outputGradient[index] }
            }
        }
    }
}

/// The product of two values, number by number.
struct Multiplication: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        require(inputs[0] == inputs[1], "Values of shapes \(inputs[0]) and \(inputs[1]) cannot be multiplied.")
        return inputs[0]
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let (left, right) = (pass.input(0, of: example), pass.input(1, of: example))
            let output = pass.output(of: example)
            for index in output.indices { output[index] = left[index] * right[index] }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            let outputGradient = pass.outputGradient(of: example)
            for (place, other) in [(0, 1), (1, 0)] {
                guard let gradient = pass.inputGradient(place, of: example) else { continue }
                let factor = pass.input(other, of: example)
                for index in gradient.indices { gradient[index] = factor[index] * outputGradient[index] }
            }
        }
    }
}

/// a·x + c, with constants a and c.
struct ScaledAndShifted: Operation {
    let factor: Float
    let offset: Float

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let (factor, offset) = (S(factor), S(offset))
        pass.forEachExample { example in
            let (input, output) = (pass.input(0, of: example), pass.output(of: example))
            for index in output.indices { output[index] = factor * input[index] + offset }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let factor = S(factor)
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            let outputGradient = pass.outputGradient(of: example)
            for index in gradient.indices { gradient[index] = factor * outputGradient[index] }
        }
    }
}

extension Value {
    /// x + y, number by number. Traps unless the shapes are equal.
    public static func + (left: Value, right: Value) -> Value {
        left.applying(Addition(isDifference: false), inputs: [(right.node, right.shape)], mask: left.mask ?? right.mask)
    }

    /// x − y, number by number. Traps unless the shapes are equal.
    public static func - (left: Value, right: Value) -> Value {
        left.applying(Addition(isDifference: true), inputs: [(right.node, right.shape)], mask: left.mask ?? right.mask)
    }

    /// x · y, number by number. Traps unless the shapes are equal.
    public static func * (left: Value, right: Value) -> Value {
        left.applying(Multiplication(), inputs: [(right.node, right.shape)], mask: left.mask ?? right.mask)
    }

    /// a · x.
    public static func * (factor: Float, value: Value) -> Value {
        value.applying(ScaledAndShifted(factor: factor, offset: 0), mask: value.mask)
    }

    /// x · a.
    public static func * (value: Value, factor: Float) -> Value { factor * value }

    /// x + c, for every number.
    public static func + (value: Value, offset: Float) -> Value {
        value.applying(ScaledAndShifted(factor: 1, offset: offset), mask: value.mask)
    }

    /// c + x, for every number.
    public static func + (offset: Float, value: Value) -> Value { value + offset }

    /// x − c, for every number.
    public static func - (value: Value, offset: Float) -> Value { value + -offset }

    /// c − x, for every number.
    public static func - (offset: Float, value: Value) -> Value {
        value.applying(ScaledAndShifted(factor: -1, offset: offset), mask: value.mask)
    }

    /// −x.
    public static prefix func - (value: Value) -> Value { -1 * value }
}
