import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation

@Suite struct RecurrenceTests {
    /// One recurrence as a function of its four parameters.
    struct Kind: CustomTestStringConvertible, Sendable {
        let cell: RecurrentCell
        let returned: ReturnedStates
        var testDescription: String { "\(cell), \(returned)" }

        func shapes(inputs: Int, width: Int) -> [[Int]] {
            let wide = cell.gateCount * width
            return [[inputs, wide], [width, wide], [wide], [wide]]
        }

        func callAsFunction(_ x: Value, _ p: [Tensor]) -> Value {
            switch cell {
            case .gru:
                x.gru(
                    inputKernel: p[0], recurrentKernel: p[1], inputBias: p[2], recurrentBias: p[3],
                    returning: returned)
            case .lstm:
                x.lstm(
                    inputKernel: p[0], recurrentKernel: p[1], inputBias: p[2], recurrentBias: p[3],
                    returning: returned)
            }
        }
    }

    static let kinds = [RecurrentCell.gru, .lstm].flatMap { cell in
        ReturnedStates.allCases.map { Kind(cell: cell, returned: $0) }
    }

    @Test(arguments: kinds)
    func holds(_ kind: Kind) {
        OperationCheck.expect(shape: [4, 3], parameters: kind.shapes(inputs: 3, width: 2)) { kind($0, $1) }
        OperationCheck.expect(shape: [1, 2], parameters: kind.shapes(inputs: 2, width: 5), count: 3) { kind($0, $1) }
    }

    @Test(arguments: kinds)
    func holdsForSequencesOfSeveralLengths(_ kind: Kind) {
        OperationCheck.expect(
            shape: [4, 3], parameters: kind.shapes(inputs: 3, width: 3), lengths: [4, 2, 1, 3, 0]
        ) { kind($0, $1) }
    }

    /// More examples than take a step together.
    @Test(arguments: kinds)
    func holdsForManyExamples(_ kind: Kind) {
        let check = OperationCheck.check(
            shape: [3, 2], parameters: kind.shapes(inputs: 2, width: 2), lengths: (0..<300).map { $0 % 4 }, count: 300
        ) { kind($0, $1) }
        let rows = check.run(check.inputs)
        for example in [0, 127, 128, 255, 256, 299] {
            let one = check.run(check.inputs.gathering([example]))
            #expect(one.rows[0].map(\.bitPattern) == rows.rows[example].map(\.bitPattern))
            #expect(one.losses[0].bitPattern == rows.losses[example].bitPattern)
        }
    }

    /// One recurrence over the states of another one, with the same recurrent kernel and biases.
    @Test(arguments: [RecurrentCell.gru, .lstm])
    func joinsTheUsesOfOneKernel(_ cell: RecurrentCell) {
        let (all, last) = (Kind(cell: cell, returned: .all), Kind(cell: cell, returned: .last))
        OperationCheck.expect(
            shape: [3, 2], parameters: all.shapes(inputs: 2, width: 2), lengths: [3, 1, 2, 0, 3]
        ) { x, p in last(all(x, p), p) }
        OperationCheck.expect(
            shape: [3, 4], parameters: [[4, cell.gateCount * 4]] + all.shapes(inputs: 4, width: 4).dropFirst()
        ) { x, p in all(x, [p[0], p[0], p[2], p[2]]) }
    }

    /// What stands at positions that are padding has no influence on anything, and no gradient: in every bit.
    @Test(arguments: kinds)
    func paddingHasNoInfluence(_ kind: Kind) {
        let lengths = [4, 2, 1, 3, 0]
        let check = OperationCheck.check(
            shape: [4, 3], parameters: kind.shapes(inputs: 3, width: 3), lengths: lengths
        ) { kind($0, $1) }
        let own = check.run(check.inputs)
        let features = check.inputs.features
        let other = Matrix(
            rows: 5, columns: 12,
            elements: (0..<60).map { index in
                index % 12 / 3 < lengths[index / 12] ? features[index / 12, index % 12] : 77
            })
        let changed = check.run(ProgramInputs(features: other, lengths: lengths))
        for example in 0..<5 {
            #expect(changed.rows[example].map(\.bitPattern) == own.rows[example].map(\.bitPattern))
            #expect(changed.losses[example].bitPattern == own.losses[example].bitPattern)
            #expect(own.rows[example][(lengths[example] * 3)..<12].allSatisfy { $0 == 0 })
        }
        // Control: without lengths what stands there counts.
        let all = check.run(ProgramInputs(features: other, lengths: [4, 4, 4, 4, 4]))
        #expect(all.losses[1] != own.losses[1])
    }

    @Test(arguments: kinds)
    func isItsDefinition(_ kind: Kind) {
        let (positions, inputs, width, lengths) = (5, 3, 4, [5, 3, 1, 0, 4])
        let check = OperationCheck.check(
            shape: [positions, inputs], parameters: kind.shapes(inputs: inputs, width: width), lengths: lengths
        ) { kind($0, $1) }
        let values = check.parameters.values.map(Double.init)
        var memory = ProgramMemory<Double>()
        values.withUnsafeBufferPointer {
            check.program.forward(
                check.inputs.inDouble, at: $0.baseAddress!, extent: .outputs, memory: &memory)
        }
        let output = memory.values[check.program.outputs]
        let leaves = check.program.layout.leaves.map { Array(values[$0.range]) }
        for example in 0..<5 {
            let x = (0..<positions).map { t in
                (t * inputs..<(t + 1) * inputs).map { Double(check.inputs.features[example, $0]) + leaves[0][$0] }
            }
            let reference = RecurrenceReference(
                width: width, inputKernel: leaves[1], recurrentKernel: leaves[2], inputBias: leaves[3],
                recurrentBias: leaves[4])
            let states =
                kind.cell == .gru
                ? reference.gru(x, length: lengths[example]) : reference.lstm(x, length: lengths[example])
            let expected = kind.returned == .all ? states.flatMap { $0 } : states[positions - 1]
            for (index, value) in expected.enumerated() {
                // Some twenty roundings of numbers below 1 at each of five positions.
                #expect(abs(output[example, index] - value) <= 1e-14, "\(example), \(index)")
            }
        }
    }

    @Test func namesBothShapes() async {
        let results = [
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                OperationCheck.expect(shape: [3, 2], parameters: [[2, 6], [2, 8], [6], [8]]) { x, p in
                    x.gru(inputKernel: p[0], recurrentKernel: p[1], inputBias: p[2], recurrentBias: p[3])
                }
            },
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                OperationCheck.expect(shape: [3, 2], parameters: [[2, 9], [2, 6], [9], [6]]) { x, p in
                    x.gru(inputKernel: p[0], recurrentKernel: p[1], inputBias: p[2], recurrentBias: p[3])
                }
            },
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                OperationCheck.expect(shape: [3, 2], parameters: [[2, 8], [2, 8], [8], [6]]) { x, p in
                    x.lstm(inputKernel: p[0], recurrentKernel: p[1], inputBias: p[2], recurrentBias: p[3])
                }
            },
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                OperationCheck.expect(shape: [6], parameters: [[6, 8], [2, 8], [8], [8]]) { x, p in
                    x.lstm(inputKernel: p[0], recurrentKernel: p[1], inputBias: p[2], recurrentBias: p[3])
                }
            },
        ]
        let sentences = [
            "shape [2, 8] does not fit gated recurrent units", "Gates of shape [3, 9] do not fit",
            "bias of shape [6] does not fit a recurrent kernel of shape [2, 8]", "a value of shape [6] has none",
        ]
        for (result, sentence) in zip(results, sentences) {
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains(sentence))
        }
    }
}
