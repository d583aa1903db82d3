import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation
@testable import PrivacyMechanisms

struct LookupTests {
    /// Σ ⟨w_t, E[x_t]⟩, and a dense layer behind it, so that output gradients depend on the table.
    static func check(_ ids: [[Float]], lengths: [Int]? = nil, vocabulary: Int = 5, width: Int = 3) -> ModelCheck {
        var generator = SeededGenerator(seed: 4)
        func tensor(_ shape: [Int]) -> Tensor {
            try! Tensor(shape: shape, values: generator.floats(shape.reduce(1, *)))
        }
        let model = [tensor([vocabulary, width]), tensor([width, 2])]
        let weights = tensor([ids[0].count, 2])
        let program = Program(parameters: model, featureCount: ids[0].count) { model, example in
            let value = example.tokens.embedded(in: model[0]).dense(kernel: model[1], activation: .tanh)
            return Loss((value * weights).sum(over: .all), outputs: value, readAs: .squaredError)
        }
        return ModelCheck(
            program: program, inputs: ProgramInputs(features: Matrix(ids), lengths: lengths),
            parameters: try! model.flattened())
    }

    @Test func holdsForRepeatedTokensAndPadding() {
        Self.check([[0, 1, 2, 3], [4, 4, 4, 4], [1, -1, 1, -1], [-1, -1, -1, -1], [2, 2, 0, 0]]).expectAll()
    }

    @Test func positionsBeyondTheLengthDoNotCount() {
        let check = Self.check([[0, 1, 2, 3], [4, 4, 99, -3], [1, 7.5, .infinity, 2]], lengths: [4, 2, 1])
        check.expectAll()
        let (rows, short) = (check.run(check.inputs), Self.check([[0, 1, 2, 3], [4, 4, -1, -1], [1, -1, -1, -1]]))
        #expect(rows.rows == short.run(short.inputs).rows)
    }

    /// Ids and output gradients of `spec/layers.md`.
    @Test func hasTheNormsOfTheSpecification() {
        let program = Program(parameters: [Tensor(zeros: [3, 1])], featureCount: 2, targetCount: 2) { model, example in
            let value = example.tokens.embedded(in: model[0])
            return squaredError(value.reshaped(2), example.target)
        }
        let inputs = ProgramInputs<Float>(
            features: Matrix([[1, 1], [2, 0], [2, 0]]),
            targets: Matrix([[-0.2, -0.2], [-0.3, -0.1], [-0.3, -0.1]]))
        let check = ModelCheck(
            program: program, inputs: inputs, parameters: ParameterVector(zeros: program.layout))
        let gradients = check.run(inputs).gradients
        var norms = [Double](repeating: 0, count: 3)
        var span = norms.mutableSpan
        gradients.squaredNorms(of: 0..<3, under: nil, groups: ColumnGroups(ranges: [0..<3]), into: &span)
        for (norm, exact) in zip(norms, [0.16, 0.1, 0.1]) { #expect(abs(norm - exact) < 1e-6) }
    }

    @Test func aLabelHasItsRow() {
        let model = [Tensor([1, 2, 3, 4, 5, 6])].map { try! Tensor(shape: [3, 2], values: $0.values) }
        let program = Program(parameters: model, featureCount: 1) { model, example in
            squaredError(example.label.embedded(in: model[0]), example.features.concatenated(with: example.features))
        }
        let inputs = ProgramInputs<Float>(features: Matrix([[0.5], [1], [2]]), classes: [2, 0, 2])
        let check = ModelCheck(program: program, inputs: inputs, parameters: try! model.flattened())
        check.expectAll()
        #expect(check.run(inputs).rows[1] == [0, 1, 0, 0, 0, 0])
        #expect(program.vocabulary == nil)
    }

    @Test func saysWhatIdsLieBelow() {
        #expect(Self.check([[0]], vocabulary: 7).program.vocabulary == 7)
        let tables = [Tensor(zeros: [9, 1]), Tensor(zeros: [4, 1])]
        let program = Program(parameters: tables, featureCount: 3) { tables, example in
            let first = example.tokens.embedded(in: tables[0]).sum(over: .all)
            let second = example.tokens.positions(1..<3).embedded(in: tables[1]).sum(over: .all)
            return Loss(first + second, outputs: first, readAs: .squaredError)
        }
        #expect(program.vocabulary == 4)
        #expect(program.positionCount == 3)
    }

    @Test(arguments: [5, 0.5] as [Float]) func trapsForIdsThatAreNoRow(id: Float) async {
        await #expect(processExitsWith: .failure) { [id] in
            let check = LookupTests.check([[0, id]])
            _ = check.run(check.inputs)
        }
        await #expect(processExitsWith: .failure) {
            _ = Program(parameters: [Tensor(zeros: [3])], featureCount: 2) { model, example in
                squaredError(example.tokens.embedded(in: model[0]), example.target)
            }
        }
    }
}
