import PrivateTraining
import Testing

@Suite struct EvaluationTests {
    /// A model whose two outputs are its two inputs.
    private static func evaluate(
        _ outputs: [Float], _ targets: [Float], columns: Int = 2, blockSize: Int = 1024
    ) throws -> Evaluation {
        let network = try Network(.linearRegression(features: columns, outputs: columns))
        var parameters = ParameterVector(zeros: network.layout)
        parameters.withUnsafeMutableValues { values in
            for index in 0..<columns { values[index * columns + index] = 1 }
        }
        let rows = outputs.count / columns
        return try network.evaluate(
            on: InMemoryDataset(
                inputs: Matrix(rows: rows, columns: columns, elements: outputs),
                targets: .values(Matrix(rows: rows, columns: columns, elements: targets))),
            at: parameters, blockSize: blockSize)
    }

    /// Errors 1, −1, 2, 0, 0, 3: squares add up to 15. Targets have the means 3 and 4, and squares about them of 8
    /// and 8.
    @Test(arguments: [1, 2, 1024])
    func errorsOfNumbers(blockSize: Int) throws {
        let evaluation = try Self.evaluate([2, 1, 5, 4, 5, 9], [1, 2, 3, 4, 5, 6], blockSize: blockSize)
        let (meanSquare, share): (Double, Double) = (15.0 / 6, 1 - 15.0 / 16)
        #expect(evaluation.rootMeanSquaredError == meanSquare.squareRoot())
        #expect(evaluation.rSquared == share)
        #expect(evaluation.accuracy == nil && evaluation.exampleCount == 3)
        #expect(evaluation.loss == 2.5)
    }

    /// Means, a constant and perfection: R² is 0, below 0 and 1.
    @Test func theScaleOfRSquared() throws {
        #expect(try Self.evaluate([2, 2, 2], [1, 2, 3], columns: 1).rSquared == 0)
        #expect(try Self.evaluate([9, 9, 9], [1, 2, 3], columns: 1).rSquared == -73.5)
        let perfect = try Self.evaluate([1, 2, 3], [1, 2, 3], columns: 1)
        #expect(perfect.rSquared == 1 && perfect.rootMeanSquaredError == 0)
        let constant = try Self.evaluate([1, 2, 3], [2, 2, 2], columns: 1)
        #expect(constant.rSquared == nil && constant.rootMeanSquaredError == (2.0 / 3).squareRoot())
    }

    /// Far from zero, the variance loses no digits: 2²³ + {0, 1, 2} are exact in Float32.
    @Test func targetsFarFromZero() throws {
        let far = (0..<3).map { Float(0x1p23) + Float($0) }
        #expect(try Self.evaluate([far[1], far[1], far[1]], far, columns: 1).rSquared == 0)
    }

    @Test func unitsAreThoseOfTheFile() throws {
        let schema = CSVSchema(
            columns: [.init("x", .numeric(.init(lower: 0, upper: 1))), .init("y", .target(lower: 10, upper: 30))])
        let evaluation = try Self.evaluate([0.5, 0.5], [0.25, 0.75], columns: 1)
        let inUnits = evaluation.inUnits(of: try #require(schema.target))
        #expect(evaluation.rootMeanSquaredError == 0.25 && inUnits.rootMeanSquaredError == 5)
        #expect(inUnits.rSquared == evaluation.rSquared && inUnits.loss == evaluation.loss)
    }

    @Test func classesHaveNoErrorsOfNumbers() throws {
        let network = try Network(.softmaxRegression(features: 1, classes: 2))
        let evaluation = try network.evaluate(
            on: InMemoryDataset(
                inputs: Matrix(rows: 2, columns: 1, elements: [1, 2]), targets: .classes([0, 1], classCount: 2)),
            at: ParameterVector(zeros: network.layout))
        #expect(evaluation.accuracy == 0.5)
        #expect(evaluation.rootMeanSquaredError == nil && evaluation.rSquared == nil)
    }
}
