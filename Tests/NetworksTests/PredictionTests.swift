import Datasets
import LinearAlgebra
import Networks
import PyTrees
import Testing

@Suite struct PredictionTests {
    @Test func classesArePredictedInBlocks() throws {
        var generator = SeededGenerator(seed: 1)
        let network = try Network(.multilayerPerceptron(dims: [3, 5, 4], activation: .tanh))
        let parameters = try generator.parameters(for: network)
        let inputs = generator.matrix(10, 3)
        var workspace = network.makeWorkspace()
        let expected = network.predictions(from: network.outputs(for: inputs, at: parameters, workspace: &workspace))
        for blockSize in [1, 3, 10, 1000] {
            #expect(try network.predict(inputs, at: parameters, blockSize: blockSize) == expected)
        }
        #expect(try network.predict((0..<10).map(inputs.row), at: parameters) == expected)
        #expect(try network.predict([[Float]](), at: parameters) == .classes([], classCount: 4))
    }

    @Test func numbersArePredicted() throws {
        let network = try Network(.linearRegression(features: 2))
        let parameters = try ParameterVector(values: [1, 10, 100], layout: network.layout)
        #expect(
            try network.predict([[1, 2], [3, 4], [0, 0]], at: parameters) == .values(Matrix([[121], [143], [100]])))
        let blocks = try network.predict(Matrix([[1, 2], [3, 4], [0, 0]]), at: parameters, blockSize: 2)
        #expect(blocks == .values(Matrix([[121], [143], [100]])))
    }

    @Test func anotherWidthIsNamed() throws {
        let network = try Network(.linearRegression(features: 2))
        #expect(throws: ModelError.widthMismatch(.inputs, model: 2, data: 3)) {
            try network.predict([[1, 2, 3]], at: ParameterVector(zeros: network.layout))
        }
    }
}
