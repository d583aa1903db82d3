import Datasets
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PyTrees
import Testing

@Suite struct ClosureModelTests {
    private static let layout: TreeLayout = {
        do {
            return try TreeLayout([("kernel", [3]), ("bias", [1])])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    private static func predict(_ inputs: Span<Float>, _ parameters: ParameterVector) -> Float {
        inputs.indices.reduce(parameters.values[3]) { $0 + inputs[$1] * parameters.values[$1] }
    }

    /// Linear regression by hand; `adds` writes as if the row held nothing but zeros.
    private static func model(adds: Bool = false, evaluated: Bool = true) -> ClosureModel<ParameterVector> {
        ClosureModel(
            layout: layout, featureCount: 3, outputCount: 1,
            initialParameters: { seed in ParameterVector(repeating: Float(seed), layout: layout) },
            evaluation: evaluated
                ? .init(loss: .squaredError) { inputs, parameters, outputs in outputs[0] = predict(inputs, parameters) }
                : nil
        ) { inputs, target, parameters, gradient in
            guard case .values(let values) = target else { preconditionFailure("Regression needs numbers.") }
            let error = predict(inputs, parameters) - values[0]
            for index in inputs.indices { gradient[index] = (adds ? gradient[index] : 0) + error * inputs[index] }
            gradient[3] = (adds ? gradient[3] : 0) + error
            return error * error / 2
        }
    }

    private func problem(_ count: Int, seed: UInt64) -> (Examples, ParameterVector) {
        var generator = SeededGenerator(seed: seed)
        let examples = Examples(inputs: generator.matrix(count, 3), targets: .values(generator.matrix(count, 1)))
        var parameters = ParameterVector(zeros: Self.layout)
        let values = generator.floats(4)
        parameters.withUnsafeMutableValues { _ = $0.update(fromContentsOf: values) }
        return (examples, parameters)
    }

    @Test func theClosureIsCalledForEachExampleAndAgreesWithTheNetwork() throws {
        let network = try Network(.linearRegression(features: 3))
        let model = Self.model()
        var (workspace, networkWorkspace) = (model.makeWorkspace(), network.makeWorkspace())
        for count in [9, 2, 0, 9] {
            let (examples, parameters) = problem(count, seed: UInt64(count))
            let same = try ParameterVector(values: parameters.values, layout: network.layout)
            let own = model.gradients(of: examples, at: parameters, workspace: &workspace)
            let other = network.gradients(of: examples, at: same, workspace: &networkWorkspace)
            // Three products and their sum, in another order, of numbers up to 1: 8 roundings of numbers up to 5.
            let near = { (a: Float, b: Float) in abs(a - b) <= 40 * 0x1p-24 }
            #expect(zip(own.rows.joined(), other.rows.joined()).allSatisfy(near))
            #expect(own.rows.count == count)
            let (losses, otherLosses) = (own.nonPrivateLosses ?? [], other.nonPrivateLosses ?? [])
            #expect(zip(losses, otherLosses).allSatisfy { abs($0 - $1) <= 200 * 0x1p-24 } && losses.count == count)
            let (outputs, evaluated) = model.outputsAndLosses(
                of: examples, at: parameters, workspace: &workspace)
            #expect(zip(evaluated, losses).allSatisfy(near))
            #expect(model.predictions(from: outputs) == .values(outputs))
        }
    }

    @Test func rowsAreZeroBeforeTheClosureWrites() {
        let (first, parameters) = problem(5, seed: 1)
        let (second, _) = problem(5, seed: 2)
        let rows = { (model: ClosureModel<ParameterVector>, examples: Examples, workspace: inout ClosureWorkspace) in
            model.gradients(of: examples, at: parameters, workspace: &workspace).rows
        }
        var (adding, writing) = (Self.model().makeWorkspace(), Self.model().makeWorkspace())
        let before = rows(Self.model(adds: true), first, &adding)
        let after = rows(Self.model(adds: true), second, &adding)
        let right = rows(Self.model(), second, &writing)
        #expect(after == right)
        // Control: rows that still hold the microbatch before are others.
        let sums = zip(before, right).map { (a: [Float], b: [Float]) -> [Float] in zip(a, b).map(+) }
        #expect(sums != right)
    }

    @Test func rowsDoNotDependOnThreads() {
        let (examples, parameters) = problem(11, seed: 3)
        let limit = Threads.limit
        defer { Threads.limit = limit }
        let rows = [1, 2, 3].map { threads in
            Threads.limit = threads
            var workspace = Self.model().makeWorkspace()
            return Self.model().gradients(of: examples, at: parameters, workspace: &workspace).rows
        }
        #expect(rows[0] == rows[1] && rows[1] == rows[2])
    }

    @Test func dataThatDoNotFitAreNamed() {
        let numbers = Targets.values(Matrix(rows: 1, columns: 1))
        func examples(_ features: Int, _ targets: Targets) -> Examples {
            Examples(inputs: Matrix(rows: 1, columns: features), targets: targets)
        }
        #expect(throws: ModelError.widthMismatch(.inputs, model: 3, data: 4)) {
            try Self.model().check(examples(4, numbers))
        }
        #expect(throws: ModelError.targetKindMismatch(loss: .squaredError)) {
            try Self.model().check(examples(3, .classes([0], classCount: 2)))
        }
        #expect(throws: Never.self) { try Self.model().check(examples(3, numbers)) }
    }

    @Test func mistakesTrap() async {
        await #expect(processExitsWith: .failure) {
            var workspace = ClosureModelTests.model().makeWorkspace()
            _ = ClosureModelTests.model().outputs(
                for: Matrix(rows: 1, columns: 2), at: ParameterVector(zeros: ClosureModelTests.layout),
                workspace: &workspace)
        }
        await #expect(processExitsWith: .failure) {
            let model = ClosureModelTests.model(evaluated: false)
            _ = model.predictions(from: Matrix(rows: 1, columns: 1))
        }
        await #expect(processExitsWith: .failure) {
            let other = ParameterVector(zeros: try TreeLayout([("kernel", [4])]))
            var workspace = ClosureModelTests.model().makeWorkspace()
            _ = ClosureModelTests.model().gradients(
                of: Examples(
                    inputs: Matrix(rows: 1, columns: 3), targets: .values(Matrix(rows: 1, columns: 1))),
                at: other, workspace: &workspace)
        }
    }
}
