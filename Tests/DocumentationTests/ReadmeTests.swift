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
struct Reader: PyTree {
    var rows, head: Dense
    var block: TransformerBlock

    init() {
        var weights = InitialWeights(seed: 1)
        rows = Dense(inputs: 8, outputs: 16, weights: &weights)
        block = TransformerBlock(width: 16, heads: 2, hiddenWidth: 32, weights: &weights)
        head = Dense(inputs: 16, outputs: 10, weights: &weights)
    }

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("rows", &rows)
        try visitor.visit("block", &block)
        try visitor.visit("head", &head)
    }
}

func readDigits(_ data: InMemoryDataset, _ plan: PrivacyPlan, seed: UInt64? = nil) throws -> Evaluation {
    let model = FunctionModel(parameters: Reader(), featureCount: 64) { model, example in
        let rows = model.block(model.rows(example.sequence(positions: 8)))
        return softmaxCrossEntropy(model.head(rows.mean(over: .positions)), example.label)
    }
    let trainer = try Trainer(
        plan: plan, model: model, optimizer: adam(learningRate: 0.02), options: TrainingOptions(nonPrivateSeed: seed))
    let outcome = try trainer.fit(data)
    return try model.evaluate(on: Digits.split.test, at: outcome.parameters)
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
        #expect(marked[0].contains("func trainOnDigits") && marked[1].contains("struct Reader"))
        #expect(readme.split(separator: "```swift").count == 1 + blocks.count)
    }

    @Test func theExampleTrainsPrivately() throws {
        let outcome = try trainOnDigits(seed: 1)
        // A model that learned nothing is right in a tenth of the cases.
        #expect(try #require(outcome.evaluation?.accuracy) > 0.8)
        #expect(try #require(outcome.report.guarantees[0].epsilon) <= 4)
    }

    @Test func theFunctionIsTrainedPrivately() throws {
        let training = Digits.split.train
        let plan = try PrivacyPlan(
            exampleCount: training.count, expectedBatchSize: 250, epochs: 30, clipping: .flat(l2ClipNorm: 1),
            budget: .epsilon(8), delta: 1e-5)
        // A model that learned nothing is right in a tenth of the cases.
        #expect(try #require(readDigits(training, plan, seed: 1).accuracy) > 0.6)
    }

    private static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The description of a snippet, and what is shown of its code up to the first part that is hidden.
    private static func parts(of snippet: String) throws -> (description: String, code: String) {
        let parts = try text(of: "Snippets/\(snippet)").split(separator: "\n\n", maxSplits: 1)
        try #require(parts.count == 2)
        return (String(parts[0]), parts[1].components(separatedBy: "\n// snippet.hide\n")[0])
    }

    /// The snippets of the site show the same, word for word.
    @Test func theReadmeShowsSnippets() throws {
        let blocks = try Self.text(of: "README.md").components(separatedBy: "```swift\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        let shown = try ["ReadmeExample.swift", "OwnModelByLayers.swift"].map { try Self.parts(of: $0).code }
        #expect(blocks == shown)
        #expect(shown[0].contains("func trainOnDigits") && shown[1].contains("struct Reader"))
    }

    /// DocC takes the first comment of a snippet for its description.
    @Test func everySnippetBeginsWithItsDescription() throws {
        let folder = Self.root.appending(path: "Snippets")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        #expect(names.contains("ReadmeExample.swift"))
        for name in names {
            let description = try Self.parts(of: name).description
            #expect(description.split(separator: "\n").allSatisfy { $0.hasPrefix("//") }, "\(name)")
        }
    }
}
