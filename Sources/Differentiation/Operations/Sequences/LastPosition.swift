import Requirements

/// The last position that is no padding; zeros where there is none.
struct LastPosition: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { Array(inputs[0].dropFirst()) }

    func isDifferentiable(input index: Int) -> Bool { index == 0 }

    /// Where the position's numbers lie in an example.
    private func part<S: Real>(_ example: Int, _ pass: ForwardPass<S>) -> Range<Int>? {
        guard let last = pass.input(1, of: example).lastIndex(where: { $0 > 0 }) else { return nil }
        return last * pass.outputCount..<(last + 1) * pass.outputCount
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        pass.forEachExample { example in
            let output = pass.output(of: example)
            if let part = part(example, pass) {
                _ = output.update(fromContentsOf: pass.input(0, of: example)[part])
            } else {
                output.update(repeating: 0)
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            gradient.update(repeating: 0)
            guard let part = part(example, pass.forward) else { return }
            _ = gradient[part].update(fromContentsOf: pass.outputGradient(of: example))
        }
    }
}

extension Value {
    /// The last position that is no padding: the shape without its first dimension. Zeros where all are padding. Traps
    /// for a value without positions.
    public func lastPosition() -> Value {
        require(shape.count > 1 && shape[0] > 0, "A value of shape \(shape) has no last position.")
        if mask == nil { return position(shape[0] - 1) }
        return applying(LastPosition(), inputs: maskInput, mask: nil)
    }
}
