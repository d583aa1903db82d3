import Datasets
import Foundation
import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation
@testable import Networks

/// A network with random parameters and examples, in Float64: what its layers put out, and whether gradients are those
/// of differences.
struct LayerCheck {
    let network: Network
    let examples: Examples
    let parameters: ParameterVector

    init(
        _ input: NetworkArchitecture.Input, _ layers: [NetworkArchitecture.Layer], loss: LossFunction = .squaredError,
        lengths: [Int]? = nil, examples count: Int = 4, seed: UInt64 = 1
    ) throws {
        network = try Network(NetworkArchitecture(input: input, layers: layers, loss: loss))
        var generator = SeededGenerator(seed: seed)
        let random = generator.examples(lengths?.count ?? count, for: network)
        examples = Examples(inputs: random.inputs, targets: random.targets, lengths: lengths)
        parameters = try generator.parameters(for: network)
    }

    var inputs: ProgramInputs<Float> {
        switch examples.targets {
        case .classes(let classes, _):
            ProgramInputs(features: examples.inputs, classes: classes, lengths: examples.lengths)
        case .values(let values):
            ProgramInputs(features: examples.inputs, targets: values, lengths: examples.lengths)
        }
    }

    /// A leaf's values in rows, by its path.
    func leaf(_ path: String) throws -> [[Double]] {
        let leaf = try #require(network.layout.leaves.first { "\($0.path)" == path })
        let values = parameters.values[leaf.range].map(Double.init)
        let columns = leaf.shape.last ?? 1
        return stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<$0 + columns]) }
    }

    /// An example's inputs in rows.
    func rows(_ example: Int, columns: Int) -> [[Double]] {
        let values = examples.inputs.row(example).map(Double.init)
        return stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<$0 + columns]) }
    }

    /// What the network puts out for each example.
    var outputs: [[Double]] {
        let program = network.model.program
        var memory = ProgramMemory<Double>()
        program.forward(
            inputs.inDouble, at: parameters.values.map(Double.init), extent: .outputs, memory: &memory)
        let block = memory.values[program.outputs]
        return (0..<block.rows).map { row in (0..<block.columns).map { block[row, $0] } }
    }

    /// Float64 gradients are those of central differences, and Float32 ones those in Float64 but for rounding.
    func expectGradients(elementsPerLeaf: Int = 10, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let program = network.model.program
        #expect(program.unusedLeaves == [], sourceLocation: sourceLocation)
        let (inputs, center) = (inputs.inDouble, parameters.values.map(Double.init))
        let exact = program.lossesAndRows(of: inputs, at: center)
        var generator = SeededGenerator(seed: 2)
        for leaf in network.layout.leaves {
            for _ in 0..<elementsPerLeaf {
                let column = Int.random(in: leaf.range, using: &generator)
                var moved = center
                moved[column] += 0x1p-17
                let above = program.lossesAndRows(of: inputs, at: moved).losses
                moved[column] -= 0x1p-16
                let below = program.lossesAndRows(of: inputs, at: moved).losses
                for (example, row) in exact.rows.enumerated() {
                    let difference = (above[example] - below[example]) / 0x1p-16
                    // Third derivatives up to a few hundred times h²/6, and rounding of losses over h: below 10⁻⁶.
                    #expect(
                        abs(row[column] - difference) <= 1e-6 * max(1, abs(difference)), "\(leaf.path)",
                        sourceLocation: sourceLocation)
                }
            }
        }
        var workspace = network.makeWorkspace()
        let gradients = network.gradients(of: examples, at: parameters, workspace: &workspace)
        for (row, exact) in zip(gradients.rows, exact.rows) {
            let size = exact.reduce(0x1p-20) { max($0, abs($1)) }
            let error = zip(row, exact).reduce(0.0) { max($0, abs(Double($1.0) - $1.1)) }
            // Sums of a few hundred terms.
            #expect(error <= 1e-4 * size, sourceLocation: sourceLocation)
        }
    }

    /// The same architecture comes of its JSON.
    func expectRoundTrip(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let data = try JSONEncoder().encode(network.architecture)
        let read = try JSONDecoder().decode(NetworkArchitecture.self, from: data)
        #expect(read == network.architecture, sourceLocation: sourceLocation)
        #expect(try Network(read).layout == network.layout, sourceLocation: sourceLocation)
    }

    /// What is wrong with an architecture.
    static func error(
        _ input: NetworkArchitecture.Input, _ layers: [NetworkArchitecture.Layer], loss: LossFunction = .squaredError
    ) -> ModelError? {
        do throws(ModelError) {
            _ = try Network(NetworkArchitecture(input: input, layers: layers, loss: loss))
            return nil
        } catch { return error }
    }
}

/// Whether numbers agree but for roundings of Float64.
func expectEqual(
    _ left: [Double], _ right: [Double], sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(left.count == right.count, sourceLocation: sourceLocation)
    for (a, b) in zip(left, right) { #expect(abs(a - b) <= 1e-10 * max(1, abs(b)), sourceLocation: sourceLocation) }
}
