import PyTrees
import Requirements

/// The rows of a table that ids name; zeros for padding.
struct Lookup: Operation {
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        require(
            parameters[0].count == 2,
            "A table of shape \(parameters[0]) has no rows for ids of shape \(inputs[0]): it has to have the shape "
                + "[vocabulary, width].")
        return inputs[0] + [parameters[0][1]]
    }

    func isDifferentiable(input index: Int) -> Bool { false }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let (rows, width) = (pass.parameterShapes[0][0], pass.parameterShapes[0][1])
        let table = pass.parameter(0).baseAddress!
        pass.forEachExample { example in
            let target = pass.output(of: example).baseAddress!
            for position in 0..<pass.count(ofInput: 0) {
                let row = row(at: position, of: example, pass, rows: rows)
                if row < 0 {
                    (target + position * width).update(repeating: 0, count: width)
                } else {
                    (target + position * width).update(from: table + row * width, count: width)
                }
            }
        }
    }

    /// The row of the table for a position; −1 for padding. Traps for an id that is no row: a model's check finds it
    /// before, in data from outside.
    private func row<S: Real>(at position: Int, of example: Int, _ pass: ForwardPass<S>, rows: Int) -> Int {
        let id = pass.input(0, of: example)[position]
        if id < 0 || pass.inputShapes.count > 1 && pass.input(1, of: example)[position] == 0 { return -1 }
        guard id < S(rows), id == id.rounded(.down) else {
            fail("The id \(id) of example \(example) is no row of a table of \(rows) rows.")
        }
        return Int(id)
    }

    func backward<S: Real>(_ pass: BackwardPass<S>) {}

    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] {
        let (forward, positions) = (pass.forward, pass.forward.count(ofInput: 0))
        let (rows, width) = (forward.parameterShapes[0][0], forward.parameterShapes[0][1])
        let indices = (0..<pass.exampleCount * positions).map { index in
            row(at: index % positions, of: index / positions, forward, rows: rows)
        }
        return [
            .lookup(
                indices: indices, outputGradients: pass.outputGradientBlock(columns: width), positions: positions)
        ]
    }
}

extension Lookup: IdOperation {
    func ids(inputs: [[Int]], parameters: [[Int]]) -> (input: Int, limit: Int) { (0, parameters[0][0]) }
}

extension Indices {
    /// The rows of a table [vocabulary, width] that the indices name: shape `[…, width]`. Padding has zeros, and no
    /// part in the table's gradient.
    ///
    /// Traps unless the table has two dimensions, and in a run for an id that is not below the vocabulary. A model's
    /// check throws for it, before it comes so far.
    public func embedded(in table: Tensor) -> Value {
        let result = recorder.append(
            Lookup(), inputs: [(node, shape)] + (mask.map { [($0, shape)] } ?? []), parameters: [table])
        return Value(recorder: recorder, node: result.node, shape: result.shape, mask: shape.isEmpty ? nil : mask)
    }
}
