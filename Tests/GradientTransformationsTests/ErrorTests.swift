import Foundation
import GradientTransformations
import PrivateOptimization
import PyTrees
import Testing

/// Bad input is a typed error that names the value and the range, and mistakes in a program trap.
@Suite struct ErrorTests {
    private func expectInvalid(
        _ name: String, _ value: Double, sourceLocation: SourceLocation = #_sourceLocation, _ make: () throws -> Void
    ) {
        do {
            try make()
            Issue.record("\(name) = \(value) was accepted.", sourceLocation: sourceLocation)
        } catch GradientTransformationError.invalidHyperparameter(let found, let number, let allowed) {
            #expect(found == name, sourceLocation: sourceLocation)
            #expect(number == value || number.isNaN && value.isNaN, sourceLocation: sourceLocation)
            #expect(!allowed.isEmpty, sourceLocation: sourceLocation)
        } catch {
            Issue.record(error, sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [-1e-9, -.infinity, .infinity, .nan]) func learningRatesAndDecay(_ value: Double) {
        expectInvalid("learningRate", value) { _ = try sgd(learningRate: value) }
        expectInvalid("learningRate", value) { _ = try adam(learningRate: value) }
        expectInvalid("weightDecay", value) { _ = try adamw(learningRate: 0.1, weightDecay: value) }
        expectInvalid("weightDecay", value) { _ = try lion(learningRate: 0.1, weightDecay: value) }
        expectInvalid("initialValue", value) { _ = try adagrad(learningRate: 0.1, initialValue: value) }
    }

    @Test(arguments: [-0.1, 1, 1.5, .infinity, .nan]) func decays(_ value: Double) {
        expectInvalid("beta1", value) { _ = try adam(learningRate: 0.1, beta1: value) }
        expectInvalid("beta2", value) { _ = try amsgrad(learningRate: 0.1, beta2: value) }
        expectInvalid("beta1", value) { _ = try yogi(learningRate: 0.1, beta1: value) }
        expectInvalid("beta2", value) { _ = try adabelief(learningRate: 0.1, beta2: value) }
        expectInvalid("decay", value) { _ = try sgd(learningRate: 0.1, momentum: value) }
        expectInvalid("decay", value) { _ = try rmsprop(learningRate: 0.1, decay: value) }
        expectInvalid("decay", value) { _ = try adadelta(learningRate: 0.1, decay: value) }
        expectInvalid("decay", value) { _ = try EMA(decay: value) }
    }

    @Test(arguments: [0, -1e-8, .infinity, .nan]) func epsilons(_ value: Double) {
        expectInvalid("epsilon", value) { _ = try adam(learningRate: 0.1, epsilon: value) }
        expectInvalid("epsilon", value) { _ = try rmsprop(learningRate: 0.1, epsilon: value) }
        expectInvalid("epsilon", value) { _ = try adagrad(learningRate: 0.1, epsilon: value) }
        expectInvalid("maximumNorm", value) { _ = try ClipByGlobalNorm(value) }
        expectInvalid("bound", value) { _ = try Clip(value) }
        expectInvalid("floor", value) {
            _ = try adamBC(learningRate: 0.1, noiseStandardDeviation: 0.1, floor: value)
        }
    }

    @Test func numbersOfStepsAndSchedules() {
        expectInvalid("steps", 0) { _ = try linearSchedule(from: 1, to: 0, steps: 0) }
        expectInvalid("steps", 0) { _ = try CosineSchedule(from: 1, steps: 0) }
        expectInvalid("steps", 0) { _ = try Accumulate(Identity(), steps: 0) }
        expectInvalid("begin", -1) { _ = try linearSchedule(from: 1, to: 0, steps: 5, begin: -1) }
        expectInvalid("rate", 0) { _ = try ExponentialSchedule(from: 1, rate: 0, steps: 5) }
        expectInvalid("boundary", -1) { _ = try JoinedSchedule(1.0, until: -1, then: 2.0) }
        expectInvalid("steps", 10) { _ = try warmupCosineSchedule(from: 0, peak: 1, warmupSteps: 10, steps: 10) }
        expectInvalid("learningRate", -0.5) {
            _ = try sgd(learningRate: try linearSchedule(from: 1, to: -0.5, steps: 9))
        }
        expectInvalid("A reflection coefficient of a", -1) { _ = try LowPassFilter(b: [1], a: [-1]) }
        expectInvalid("gain", 0) { _ = try KalmanFilter(gain: 0) }
    }

    @Test func hyperparametersAreCheckedWhenDecoded() throws {
        let data = try JSONEncoder().encode(try ScaleByAdam())
        let text = String(decoding: data, as: UTF8.self).replacingOccurrences(of: "0.999", with: "1.999")
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(ScaleByAdam.self, from: Data(text.utf8)) }
        #expect(try JSONDecoder().decode(ScaleByAdam.self, from: data) == ScaleByAdam())
        let optimizer = try adamw(learningRate: try warmupCosineSchedule(from: 0, peak: 1, warmupSteps: 2, steps: 9))
        let copy = try JSONDecoder().decode(type(of: optimizer), from: JSONEncoder().encode(optimizer))
        #expect(copy == optimizer)
    }

    static let layout = ParameterVector.smallLayout
    static let otherLayout = {
        do {
            return try TreeLayout([("a", [15])])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    @Test func masksOfAnotherLayout() throws {
        let mask = TreeMask(layout: Self.otherLayout) { _ in true }
        let parameters = ParameterVector(zeros: Self.layout)
        let expected = GradientTransformationError.layoutMismatch(
            of: "mask", found: Self.otherLayout, expected: Self.layout)
        #expect(throws: expected) { try Masked(Identity(), mask: mask).initialState(for: parameters) }
        #expect(throws: expected) { try adamw(learningRate: 0.1, mask: mask).initialState(for: parameters) }
        #expect(throws: expected) {
            try partition {
                Masked(Identity(), mask: TreeMask(layout: Self.layout) { _ in true })
                Masked(Identity(), mask: mask)
            }
        }
    }

    @Test func partitionsThatDoNotCover() throws {
        let labels = try TreeLabels(["a": "x", "b": "x", "c": "y"], layout: Self.layout)
        let (x, y) = (try labels.mask("x"), try labels.mask("y"))
        #expect(throws: GradientTransformationError.leafInNoPart("c")) { try partition { Masked(Identity(), mask: x) } }
        #expect(throws: GradientTransformationError.leafInTwoParts("c")) {
            try partition {
                Masked(Identity(), mask: y)
                Masked(Identity(), mask: x)
                Masked(Identity(), mask: y)
            }
        }
        #expect(throws: GradientTransformationError.unknownLabel("z", known: ["x", "y"])) { try labels.mask("z") }
    }

    @Test func checkpointsOfAnotherOptimizerOrLayout() throws {
        let parameters = ParameterVector(zeros: Self.layout)
        let optimizer = try Running(adam(learningRate: 0.1), parameters)
        let data = try optimizer.checkpoint(parameters: parameters)
        #expect {
            try Running(yogi(learningRate: 0.1), parameters).restore(data, parameters: parameters)
        } throws: {
            guard case GradientTransformationError.checkpointOfAnotherOptimizer(let found, let expected) = $0 else {
                return false
            }
            return found.contains("scale_by_adam") && expected.contains("scale_by_yogi")
        }
        let others = ParameterVector(zeros: Self.otherLayout)
        #expect(
            throws: GradientTransformationError.layoutMismatch(
                of: "checkpoint", found: Self.layout, expected: Self.otherLayout)
        ) { try optimizer.restore(data, parameters: others) }
    }

    @Test func mismatchedLayoutsTrap() async {
        await #expect(processExitsWith: .failure) {
            var gradient = ParameterVector(zeros: ErrorTests.otherLayout)
            var parameters = ParameterVector(zeros: ErrorTests.layout)
            let optimizer = try sgd(learningRate: 0.1)
            var state = optimizer.initialState(for: parameters)
            optimizer.step(&gradient, state: &state, parameters: &parameters)
        }
        await #expect(processExitsWith: .failure) {
            let others = ParameterVector(zeros: ErrorTests.otherLayout)
            var gradient = ParameterVector(zeros: ErrorTests.layout)
            let optimizer = try adam(learningRate: 0.1)
            var state = try optimizer.initialState(for: others)
            optimizer.update(&gradient, state: &state, parameters: ParameterVector(zeros: ErrorTests.layout))
        }
    }

    @Test func descriptionsNameValueAndRange() {
        let error = GradientTransformationError.invalidHyperparameter(
            name: "beta1", value: 1.5, allowed: "at least 0 and below 1")
        #expect(error.description == "beta1 is 1.5, but must be at least 0 and below 1.")
    }
}
