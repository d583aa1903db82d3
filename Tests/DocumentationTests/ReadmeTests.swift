import Foundation
import PrivateTraining
import Testing

// README example 1 begins
func trainOnDigits(seed: UInt64? = nil) throws -> TrainingOutcome<ParameterVector> {
    let (training, test) = Digits.split
    let plan = try PrivacyPlan(
        exampleCount: training.count, expectedBatchSize: 250, epochs: 40, clipping: .flat(l2ClipNorm: 1),
        budget: .epsilon(4), delta: 1e-5)
    let model = try Network(.multilayerPerceptron(dims: [64, 64, 10], activation: .tanh))
    let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.02))
    let trainer = try Trainer(
        plan: plan, model: model, optimizer: optimizer,
        options: TrainingOptions(averaging: .tail(fraction: 0.5), nonPrivateSeed: seed))
    let outcome = try trainer.fit(training, evaluatingOn: test)
    print(outcome.report.text)  // what is promised, to whom, and what is not
    return outcome  // .parameters, .evaluation, .report
}
// README example 1 ends

// README example 2 begins
struct Line: PyTree {
    var weights = Tensor(zeros: [64])
    var bias: Float = 0

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("weights", &weights)
        try visitor.visit("bias", &bias)
    }
}

func fitLine(to data: InMemoryDataset, _ plan: PrivacyPlan, seed: UInt64? = nil) throws -> Line {
    let model = ClosureModel(parameters: Line(), featureCount: 64, outputCount: 1) { inputs, target, line, gradient in
        guard case .values(let y) = target else { fatalError("Numbers are to be predicted.") }
        let error = inputs.indices.reduce(line.bias - y[0]) { $0 + line.weights[$1] * inputs[$1] }
        for index in inputs.indices { gradient.weights[index] = error * inputs[index] }  // zeros before
        gradient.bias = error
        return error * error / 2
    }
    let trainer = try Trainer(
        plan: plan, model: model, optimizer: adam(learningRate: 0.01), options: TrainingOptions(nonPrivateSeed: seed))
    return try trainer.fit(data).parameters
}
// README example 2 ends

/// The example that the README shows is the one above, which is compiled and run.
@Suite struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func theReadmeShowsTheExamplesThatAreCompiledHere() throws {
        let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        let blocks = readme.matches(of: /```swift\n(?:import [A-Za-z]+\n)+\n([\s\S]*?)```/).map(\.1)
        let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let marked = source.matches(
            of: /\/\/ README example [0-9]+ begins\n([\s\S]*?)\/\/ README example [0-9]+ ends/
        ).map(\.1)
        #expect(blocks == marked && marked.count == 2)
        #expect(marked[0].contains("func trainOnDigits") && marked[1].contains("struct Line"))
        #expect(readme.split(separator: "```swift").count == 1 + blocks.count)
    }

    @Test func theExampleTrainsPrivately() throws {
        let outcome = try trainOnDigits(seed: 1)
        // A model that learned nothing is right in a tenth of the cases.
        #expect(try #require(outcome.evaluation?.accuracy) > 0.8)
        #expect(try #require(outcome.report.guarantees[0].epsilon) <= 4)
    }

    /// Whether a digit is a one or a zero, as a number, on a line over its pixels.
    @Test func theLineIsFittedPrivately() throws {
        let digits = Digits.split.train
        guard case .classes(let classes, _) = digits.targets else { fatalError("Digits are classes.") }
        let kept = classes.indices.filter { classes[$0] < 2 }
        let numbers = Matrix(rows: kept.count, columns: 1, elements: kept.map { Float(classes[$0]) })
        let pixels = kept.flatMap { example in (0..<64).map { digits.inputs[example, $0] } }
        let inputs = Matrix(rows: kept.count, columns: 64, elements: pixels)
        let data = InMemoryDataset(inputs: inputs, targets: .values(numbers))
        let plan = try PrivacyPlan(
            exampleCount: data.count, expectedBatchSize: 100, epochs: 30, clipping: .flat(l2ClipNorm: 1),
            budget: .epsilon(4), delta: 1e-5)
        let line = try fitLine(to: data, plan, seed: 1)
        let right = kept.indices.count { row in
            let score = (0..<64).reduce(line.bias) { $0 + line.weights[$1] * data.inputs[row, $1] }
            return (score > 0.5) == (numbers[row, 0] > 0.5)
        }
        // A line that learned nothing puts all on one side, which is right in half of the cases.
        #expect(Double(right) / Double(kept.count) > 0.95)
    }
}
