import Foundation
import PrivateTraining
import Testing

// README example begins
func trainOnDigits(seed: UInt64? = nil) throws -> TrainingOutcome<ParameterVector> {
    let (training, test) = Digits.split
    let plan = try PrivacyPlan(
        exampleCount: training.count, expectedBatchSize: 250, epochs: 40, clipping: .flat(l2ClipNorm: 1),
        budget: .epsilon(4), delta: 1e-5)
    let model = try Network(.multilayerPerceptron(dims: [64, 64, 10], activation: .tanh))
    let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.02), epsilon: 1e-2)
    let trainer = try Trainer(
        plan: plan, model: model, optimizer: optimizer,
        options: TrainingOptions(averaging: .tail(fraction: 0.5), nonPrivateSeed: seed))
    let outcome = try trainer.fit(training, evaluatingOn: test)
    print(outcome.report.text)  // what is promised, to whom, and what is not
    return outcome  // .parameters, .evaluation, .report
}
// README example ends

/// The example that the README shows is the one above, which is compiled and run.
@Suite struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func theReadmeShowsTheExampleThatIsCompiledHere() throws {
        let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        let block = try #require(readme.firstMatch(of: /```swift\n(?:import [A-Za-z]+\n)+\n([\s\S]*?)```/)?.1)
        let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let marked = try #require(
            source.firstMatch(of: /\/\/ README example begins\n([\s\S]*?)\/\/ README example ends/)?.1)
        #expect(block == marked)
        #expect(marked.contains("func trainOnDigits"))
    }

    @Test func theExampleTrainsPrivately() throws {
        let outcome = try trainOnDigits(seed: 1)
        // A model that learned nothing is right in a tenth of the cases.
        #expect(try #require(outcome.evaluation?.accuracy) > 0.8)
        #expect(try #require(outcome.report.guarantees[0].epsilon) <= 4)
    }
}
