import LinearAlgebra
import PyTrees

@testable import PrivacyMechanisms

/// A random batch of every kind of part, and the same gradients multiplied out in Float64.
struct RandomFactors {
    /// What the factors of a batch look like.
    struct Shape {
        var examples = 7
        var inputs = 5
        var outputs = 4
        var positions = 3
        var tableRows = 6
        var magnitude: (inout SeededGenerator) -> Float = { $0.float() }
    }

    let layout: TreeLayout
    let gradients: FactoredGradients

    init(_ shape: Shape = Shape(), seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func matrix(_ rows: Int, _ columns: Int) -> Matrix {
            Matrix(
                rows: rows, columns: columns,
                elements: (0..<rows * columns).map { _ in shape.magnitude(&generator) })
        }
        let (b, m, n, t) = (shape.examples, shape.inputs, shape.outputs, shape.positions)
        layout = try TreeLayout([
            ("attention/bias", [n]), ("attention/kernel", [m, n]), ("dense/bias", [n]), ("dense/kernel", [m, n]),
            ("embedding", [shape.tableRows, n]), ("head", [n, m]), ("norm/offset", [m]), ("norm/scale", [m]),
            ("temperature", []), ("recurrent", [m, n]), ("standard", [m, n]), ("tied", [shape.tableRows, n]),
            ("unused", [m]), ("void", [0, n]),
        ])
        func indices() -> [Int] {
            (0..<b * t).map { _ in Int(generator.next() % UInt64(shape.tableRows + 1)) - 1 }
        }
        gradients = try FactoredGradients(
            layout: layout, exampleCount: b,
            parts: [
                .dense(
                    kernel: "dense/kernel", bias: "dense/bias", activations: matrix(b, m), outputGradients: matrix(b, n)
                ),
                .sequence(
                    kernel: "attention/kernel", bias: "attention/bias", activations: matrix(b * t, m),
                    outputGradients: matrix(b * t, n), positions: t),
                .embedding(table: "embedding", indices: indices(), outputGradients: matrix(b * t, n), positions: t),
                .dense(kernel: "head", bias: nil, activations: matrix(b, n), outputGradients: matrix(b, m)),
                .rows(leaves: ["norm/offset", "norm/scale", "temperature"], matrix(b, 2 * m + 1)),
                .dense(
                    kernel: "void", bias: nil, activations: Matrix(rows: b, columns: 0), outputGradients: matrix(b, n)),
                .joined(
                    leaf: "tied",
                    [
                        .embedding(table: "tied", indices: indices(), outputGradients: matrix(b * t, n), positions: t),
                        .sequence(
                            kernel: "tied", bias: nil, activations: matrix(b * t, shape.tableRows),
                            outputGradients: matrix(b * t, n), positions: t),
                    ]),
                .joined(
                    leaf: "recurrent",
                    [
                        .sequence(
                            kernel: "recurrent", bias: nil, activations: matrix(b * t, m),
                            outputGradients: matrix(b * t, n), positions: t),
                        .dense(
                            kernel: "recurrent", bias: nil, activations: matrix(b, m), outputGradients: matrix(b, n)),
                    ]),
                .mapped(
                    .sequence(
                        kernel: "standard", bias: nil, activations: matrix(b * t, m), outputGradients: matrix(b * t, n),
                        positions: t)) { centered($0) },
                .joined(leaf: "unused", []),
            ])
    }

    /// A batch with some examples only, in the given order.
    static func subset(_ gradients: FactoredGradients, _ examples: [Int]) throws -> FactoredGradients {
        func rows(_ matrix: Matrix, _ positions: Int = 1) -> Matrix {
            Matrix(
                rows: examples.count * positions, columns: matrix.columns,
                elements: examples.flatMap { example in
                    (example * positions..<(example + 1) * positions).flatMap { row in
                        (0..<matrix.columns).map { matrix[row, $0] }
                    }
                })
        }
        func subset(_ part: FactoredGradients.Part) -> FactoredGradients.Part {
            switch part {
            case .dense(let kernel, let bias, let activations, let outputGradients):
                .dense(
                    kernel: kernel, bias: bias, activations: rows(activations), outputGradients: rows(outputGradients))
            case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
                .sequence(
                    kernel: kernel, bias: bias, activations: rows(activations, positions),
                    outputGradients: rows(outputGradients, positions), positions: positions)
            case .embedding(let table, let indices, let outputGradients, let positions):
                .embedding(
                    table: table, indices: examples.flatMap { indices[$0 * positions..<($0 + 1) * positions] },
                    outputGradients: rows(outputGradients, positions), positions: positions)
            case .rows(let leaves, let matrix): .rows(leaves: leaves, rows(matrix))
            case .joined(let leaf, let uses): .joined(leaf: leaf, uses.map(subset))
            case .mapped(let part, let map): .mapped(subset(part), map)
            }
        }
        return try FactoredGradients(
            layout: gradients.layout, exampleCount: examples.count,
            parts: gradients.parts.map(subset))
    }
}

/// The map of the mapped part: each element less half of the next one, the last as it is.
private func centered<Scalar: BinaryFloatingPoint>(_ gradient: UnsafeMutableBufferPointer<Scalar>) {
    for index in gradient.indices.dropLast() { gradient[index] -= gradient[index + 1] / 2 }
}

extension FactoredGradients {
    /// One example's gradient in Float64, element by element from the definition: nothing is shared with the passes.
    func exactGradient(of example: Int) -> [Double] {
        var row = [Double](repeating: 0, count: layout.count)
        func add(_ path: TreePath, _ index: Int, _ value: Double) {
            row[layout[path]!.range.lowerBound + index] += value
        }
        func addLayer(
            _ kernel: TreePath, _ bias: TreePath?, _ activations: Matrix, _ outputGradients: Matrix, _ positions: Int
        ) {
            for t in example * positions..<(example + 1) * positions {
                for q in 0..<outputGradients.columns {
                    let error = Double(outputGradients[t, q])
                    if let bias { add(bias, q, error) }
                    for p in 0..<activations.columns {
                        add(kernel, p * outputGradients.columns + q, Double(activations[t, p]) * error)
                    }
                }
            }
        }
        func add(_ part: Part) {
            switch part {
            case .dense(let kernel, let bias, let activations, let outputGradients):
                addLayer(kernel, bias, activations, outputGradients, 1)
            case .sequence(let kernel, let bias, let activations, let outputGradients, let positions):
                addLayer(kernel, bias, activations, outputGradients, positions)
            case .embedding(let table, let indices, let outputGradients, let positions):
                for t in example * positions..<(example + 1) * positions where indices[t] >= 0 {
                    for q in 0..<outputGradients.columns {
                        add(table, indices[t] * outputGradients.columns + q, Double(outputGradients[t, q]))
                    }
                }
            case .rows(let leaves, let matrix):
                let begin = layout[leaves[0]]!.range.lowerBound
                for column in 0..<matrix.columns { row[begin + column] = Double(matrix[example, column]) }
            case .joined(_, let uses): uses.forEach(add)
            case .mapped(let part, _):
                add(part)
                let columns = layout[part.leaves[0]]!.range
                row.withUnsafeMutableBufferPointer { centered(UnsafeMutableBufferPointer(rebasing: $0[columns])) }
            }
        }
        parts.forEach(add)
        return row
    }

    /// The same gradients as dense rows, rounded to Float32 once.
    func dense() throws -> DenseRows {
        try DenseRows(
            Matrix(
                rows: exampleCount, columns: layout.count,
                elements: (0..<exampleCount).flatMap { exactGradient(of: $0).map { Float($0) } }), layout: layout)
    }
}
