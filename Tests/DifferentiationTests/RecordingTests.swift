import LinearAlgebra
import PyTrees
import Testing

@testable import Differentiation

/// A recording computes with its own values, and says where an operation forgets a parameter.
@Suite struct RecordingTests {
    private static let model = OperationCheck.Model(input: Tensor([1, 2]), parameters: [])

    private static func program(_ constant: Float) -> Program {
        Program(parameters: model, featureCount: 2) { model, example in
            let scaled = (example.features + model.input) * Tensor([constant, constant])
            return squaredError(scaled.sum(over: .all).reshaped(1), example.target)
        }
    }

    @Test func valuesOfAnotherRecordingTrap() async {
        await #expect(processExitsWith: .failure) {
            nonisolated(unsafe) var first: Value?
            _ = Program(parameters: Self.model, featureCount: 2) { model, example in
                first = example.features
                return squaredError((example.features + model.input).sum(over: .all).reshaped(1), example.target)
            }
            _ = Program(parameters: Self.model, featureCount: 2) { model, example in
                squaredError((first! + model.input).sum(over: .all).reshaped(1), example.target)
            }
        }
    }

    private struct Forgetful: Operation {
        func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }
        func forward<S: Real>(_ pass: ForwardPass<S>) {
            pass.forEachExample { _ = pass.output(of: $0).update(fromContentsOf: pass.input(0, of: $0)) }
        }
        func backward<S: Real>(_ pass: BackwardPass<S>) {}
    }

    @Test func anOperationThatForgetsAParameterTraps() async {
        await #expect(processExitsWith: .failure) {
            let check = OperationCheck.check(shape: [2], parameters: [[2]]) { x, parameters in
                x.applying(Forgetful(), parameters: [parameters[0]])
            }
            _ = check.run(check.inputs)
        }
    }

    @Test func memoryOfAnotherProgramIsMadeAnew() {
        var memory = ProgramMemory<Float>()
        let inputs = ProgramInputs(
            features: Matrix(rows: 1, columns: 2), targets: Matrix(rows: 1, columns: 1))
        func loss(_ program: Program, _ memory: inout ProgramMemory<Float>) -> Float {
            Self.model.vector().withUnsafeValues { parameters in
                program.forward(inputs, at: parameters.baseAddress!, extent: .losses, memory: &memory)
            }
            return program.losses(in: memory, exampleCount: 1)[0]
        }
        #expect(loss(Self.program(1), &memory) == 4.5)
        #expect(loss(Self.program(10), &memory) == 450)
        #expect(loss(Self.program(1), &memory) == 4.5)
    }
}
