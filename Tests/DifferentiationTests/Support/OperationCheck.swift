import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation

/// A model whose one value is all parameters: what an operation does to it is checked against differences.
struct OperationCheck {
    /// x is the example's features plus these, so that the gradient of `input` is the operation's adjoint.
    struct Model: PyTree {
        var input: Tensor
        var parameters: [Tensor]

        mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
            try visitor.visit("input", &input)
            try visitor.visit("parameters", &parameters)
        }
    }

    /// Checks ⟨w, f(x)⟩ for random weights w, of `count` random examples: ``ModelCheck`` of it, and that the weights
    /// of ⟨Jv, w⟩ = ⟨v, Jᵀw⟩ agree on a random direction v.
    ///
    /// - Parameters:
    ///   - shape: that of x.
    ///   - lengths: the number of positions that are there, for each example; nil for all.
    ///   - range: where the numbers of x lie.
    static func expect(
        shape: [Int], parameters shapes: [[Int]] = [], lengths: [Int]? = nil, count: Int = 5,
        range: ClosedRange<Float> = -1...1, keys: [UInt64] = [], sourceLocation: SourceLocation = #_sourceLocation,
        _ function: (Value, [Tensor]) -> Value
    ) {
        let check = check(
            shape: shape, parameters: shapes, lengths: lengths, count: count, range: range, keys: keys, function)
        check.expectAll(sourceLocation: sourceLocation)
        check.expectAdjoint(sourceLocation)
    }

    static func check(
        shape: [Int], parameters shapes: [[Int]] = [], lengths: [Int]? = nil, count: Int = 5,
        range: ClosedRange<Float> = -1...1, keys: [UInt64] = [], _ function: (Value, [Tensor]) -> Value
    ) -> ModelCheck {
        var generator = SeededGenerator(seed: 3)
        func random(_ count: Int, _ range: ClosedRange<Float>) -> [Float] {
            (0..<count).map { _ in Float.random(in: range, using: &generator) }
        }
        func tensor(_ shape: [Int]) -> Tensor {
            try! Tensor(shape: shape, values: random(shape.reduce(1, *), -1...1))
        }
        let size = shape.reduce(1, *)
        let model = Model(input: Tensor(zeros: shape), parameters: shapes.map(tensor))
        let program = Program(parameters: model, featureCount: size) { model, example in
            let features =
                lengths == nil ? example.features.reshaped(to: shape) : example.sequence(positions: shape[0])
            let value = function(features.reshaped(to: shape) + model.input, model.parameters)
            let weighted = (value * tensor(value.shape)).sum(over: .all)
            return Loss(weighted, outputs: value, readAs: .squaredError)
        }
        return ModelCheck(
            program: program,
            inputs: ProgramInputs(
                features: Matrix(rows: count, columns: size, elements: random(count * size, range)), lengths: lengths,
                keys: keys), parameters: try! model.flattened())
    }
}

extension ModelCheck {
    /// ⟨Jv, w⟩ by differences, and ⟨v, Jᵀw⟩ by the rows, for a random direction v of all parameters.
    func expectAdjoint(_ sourceLocation: SourceLocation) {
        var generator = SeededGenerator(seed: 9)
        let direction = parameters.values.map { _ in Double.random(in: -1...1, using: &generator) }
        let center = parameters.values.map(Double.init)
        func losses(_ step: Double) -> [Double] {
            program.lossesAndRows(of: inputs.inDouble, at: zip(center, direction).map { $0 + step * $1 }).losses
        }
        let (above, below) = (losses(0x1p-17), losses(-0x1p-17))
        for (example, row) in program.lossesAndRows(of: inputs.inDouble, at: center).rows.enumerated() {
            let product = zip(row, direction).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(
                abs((above[example] - below[example]) / 0x1p-16 - product)
                    <= 10 * differenceTolerance * max(1, abs(product)), "example \(example)",
                sourceLocation: sourceLocation)
        }
    }
}
