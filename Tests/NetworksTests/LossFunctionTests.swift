import Datasets
import Foundation
import LinearAlgebra
import Networks
import Testing

@Suite struct LossFunctionTests {
    /// A network without hidden layer and with zero weights but for the biases, so that the scores are at will.
    private func errorsAndLosses(
        _ loss: LossFunction, scores: [Float], target: Target
    ) throws -> (outputGradients: [Float], loss: Float) {
        let network = try Network(
            NetworkArchitecture(
                input: .features(1), layers: [.dense(outputs: scores.count, activation: .identity)], loss: loss))
        let targets: Targets
        switch target {
        case .class(let index): targets = .classes([index], classCount: loss == .logistic ? 2 : scores.count)
        case .values(let values): targets = .values(Matrix(rows: 1, columns: values.count, elements: values))
        }
        var parameters = network.initialParameters(seed: 0)
        parameters.withUnsafeMutableValues { values in
            for (index, score) in scores.enumerated() { values[scores.count + index] = score }
        }
        var workspace = network.makeWorkspace()
        let examples = Examples(inputs: Matrix(rows: 1, columns: 1), targets: targets)
        let gradients = network.gradients(of: examples, at: parameters, workspace: &workspace)
        let (outputs, losses) = network.outputsAndLosses(of: examples, at: parameters, workspace: &workspace)
        #expect(losses == gradients.nonPrivateLosses)
        #expect(outputs == network.outputs(for: examples.inputs, at: parameters, workspace: &workspace))
        return (Array(gradients.rows[0][scores.count...]), try #require(gradients.nonPrivateLosses)[0])
    }

    @Test func squaredErrorIsHalfTheSquaredDistance() throws {
        let (outputGradients, loss) = try errorsAndLosses(.squaredError, scores: [1, -2], target: .values([0.5, 1]))
        #expect(outputGradients == [0.5, -3])
        #expect(loss == 4.625)
    }

    @Test(arguments: [0, 1], [-120, -20, -1, 0, 0.5, 15, 90, 1e30] as [Float])
    func logisticLossKeepsWhatIsSmall(target: Int, score: Float) throws {
        let (outputGradients, loss) = try errorsAndLosses(.logistic, scores: [score], target: .class(target))
        // The loss is ln(1 + e^t) with t the score against the target, its derivative ±σ(t); below e⁻⁸⁷ Float32 has
        // no full accuracy. Three or four roundings and a library function of about one unit each.
        let t = Double(target == 1 ? -score : score)
        let exact = t > 30 ? t : log1p(exp(t))
        let error = (target == 1 ? -1 : 1) / (1 + exp(-t))
        #expect(abs(Double(loss) - exact) <= 8 * 0x1p-24 * exact + 1e-38)
        #expect(abs(Double(outputGradients[0]) - error) <= 8 * 0x1p-24 * abs(error) + 1e-38)
    }

    @Test(
        arguments: [
            [0, 0, 0], [5, -5, 2], [1000, 0, -1000], [-1000, -1000, -1001], [20, 0, 1], [1e38, -1e38, 0],
        ] as [[Float]])
    func crossEntropyNeitherOverflowsNorRoundsAway(scores: [Float]) throws {
        for target in scores.indices {
            let (outputGradients, loss) = try errorsAndLosses(
                .softmaxCrossEntropy, scores: scores, target: .class(target))
            let relative = scores.map { Double($0) - Double(scores[target]) }
            let top = relative.max()!
            let others = relative.indices.filter { $0 != target }
            // Relative to the target's score; what is above is taken out of the logarithm.
            let exact =
                top > 0
                ? top + log(relative.reduce(0) { $0 + exp($1 - top) })
                : log1p(others.reduce(0) { $0 + exp(relative[$1]) })
            // Roundings of the scores' differences count as the differences themselves.
            let range: Float = scores.map { abs($0 - scores.max()!) }.filter { $0 < 90 }.max() ?? 0
            let tolerance: Double = 0x1p-24 * (16 + 2 * Double(range))
            #expect(abs(Double(loss) - exact) <= tolerance * exact + 1e-38)
            let sum = relative.reduce(0) { $0 + exp($1 - top) }
            for index in scores.indices {
                let share = { (i: Int) in exp(relative[i] - top) / sum }
                let error = index == target ? -others.reduce(0) { $0 + share($1) } : share(index)
                #expect(abs(Double(outputGradients[index]) - error) <= tolerance * abs(error) + 1e-38)
            }
        }
    }

    @Test func predictionsAreInTheTermsOfTargets() throws {
        let scores = Matrix(rows: 3, columns: 3, elements: [1, 3, 2, 5, 5, 1, -1, -3, -0.5])
        let softmax = try Network(.softmaxRegression(features: 2, classes: 3))
        #expect(softmax.predictions(from: scores) == .classes([1, 0, 2], classCount: 3))
        let logistic = try Network(.logisticRegression(features: 2))
        let signs = Matrix(rows: 3, columns: 1, elements: [0, -2, 0.25])
        #expect(logistic.predictions(from: signs) == .classes([0, 0, 1], classCount: 2))
        #expect(try Network(.linearRegression(features: 2, outputs: 3)).predictions(from: scores) == .values(scores))
    }

    @Test func dataThatDoNotFitAreNamed() throws {
        let softmax = try Network(.softmaxRegression(features: 2, classes: 3))
        let check = { (network: Network, features: Int, targets: Targets) -> ModelError? in
            do throws(ModelError) {
                try network.check(
                    Examples(inputs: Matrix(rows: targets.count, columns: features), targets: targets))
                return nil
            } catch { return error }
        }
        #expect(check(softmax, 2, .classes([0, 2], classCount: 3)) == nil)
        #expect(check(softmax, 3, .classes([0], classCount: 3)) == .widthMismatch(.inputs, model: 2, data: 3))
        #expect(check(softmax, 2, .classes([0], classCount: 4)) == .widthMismatch(.outputs, model: 3, data: 4))
        #expect(
            check(softmax, 2, .classes([0, 3], classCount: 3)) == .classOutOfRange(3, classCount: 3, example: 1))
        #expect(check(softmax, 2, .classes([-1], classCount: 3)) == .classOutOfRange(-1, classCount: 3, example: 0))
        let numbers = Targets.values(Matrix(rows: 1, columns: 1))
        #expect(check(softmax, 2, numbers) == .targetKindMismatch(loss: .softmaxCrossEntropy))
        let logistic = try Network(.logisticRegression(features: 2))
        #expect(check(logistic, 2, .classes([0, 1], classCount: 2)) == nil)
        #expect(check(logistic, 2, .classes([0], classCount: 3)) == .widthMismatch(.outputs, model: 2, data: 3))
        let linear = try Network(.linearRegression(features: 2))
        #expect(check(linear, 2, numbers) == nil)
        #expect(check(linear, 2, .classes([0], classCount: 2)) == .targetKindMismatch(loss: .squaredError))
    }
}
