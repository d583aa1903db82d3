import Foundation
import PyTrees

/// A struct of nested trees that is a small model: h = tanh(x·K + b), score = h·v + offset, for two classes.
package struct NestedModel: PyTree, Equatable, Sendable {
    package struct Block: PyTree, Equatable, Sendable {
        package var kernel: Tensor
        package var bias: Tensor

        package mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
            try visitor.visit("kernel", &kernel)
            try visitor.visit("bias", &bias)
        }
    }

    package var blocks: [Block]
    package var heads: [String: Tensor]
    package var offset: Float
    package var nothing: Tensor?
    /// No leaf: what a closure could keep here from one example to the next.
    package var note = 0

    package mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("blocks", &blocks)
        try visitor.visit("heads", &heads)
        try visitor.visit("offset", &offset)
        try visitor.visit("nothing", &nothing)
    }

    package static let paths = ["blocks/0/kernel", "blocks/0/bias", "heads/score", "offset"]

    package init(features: Int = 2, width: Int = 3, seed: UInt64 = 1) {
        var generator = SeededGenerator(seed: seed)
        do {
            blocks = [
                Block(
                    kernel: try Tensor(shape: [features, width], values: generator.floats(features * width)),
                    bias: Tensor(zeros: [width]))
            ]
        } catch {
            fatalError("\(error)")
        }
        heads = ["score": Tensor(generator.floats(width))]
        offset = 0.25
    }

    private func hidden(_ inputs: Span<Float>) -> [Float] {
        let width = blocks[0].bias.values.count
        return (0..<width).map { unit in
            tanh(
                inputs.indices.reduce(blocks[0].bias.values[unit]) {
                    $0 + inputs[$1] * blocks[0].kernel.values[$1 * width + unit]
                })
        }
    }

    package func score(_ inputs: Span<Float>) -> Float {
        zip(hidden(inputs), heads["score"]!.values).reduce(offset) { $0 + $1.0 * $1.1 }
    }

    /// Adds the gradient of the logistic loss of an example whose class is 0 or 1, and returns the loss.
    package func addGradient(_ inputs: Span<Float>, target: Int, to gradient: inout NestedModel) -> Float {
        let (hidden, head) = (hidden(inputs), heads["score"]!.values)
        let score = zip(hidden, head).reduce(offset) { $0 + $1.0 * $1.1 }
        let error = 1 / (1 + exp(-score)) - Float(target)
        gradient.offset += error
        for unit in hidden.indices {
            gradient.heads["score"]!.values[unit] += error * hidden[unit]
            let back = error * head[unit] * (1 - hidden[unit] * hidden[unit])
            gradient.blocks[0].bias.values[unit] += back
            for input in inputs.indices {
                gradient.blocks[0].kernel.values[input * hidden.count + unit] += back * inputs[input]
            }
        }
        return log1p(exp(target == 1 ? -score : score))
    }
}
