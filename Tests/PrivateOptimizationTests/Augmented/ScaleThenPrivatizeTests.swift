import Foundation
import GradientTransformations
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

@Suite struct ScaleThenPrivatizeTests {
    let layout = try! TreeLayout([("a", [3]), ("b", [2, 2])])

    var gradient: ParameterVector {
        get throws { try ParameterVector(values: [0.5, -1, 2, 0.25, -3, 0, 1e-3], layout: layout) }
    }

    func stepped<Optimizer: AugmentedGradientTransformation>(
        _ optimizer: Optimizer, steps: Int = 1
    ) throws -> Optimizer.State {
        var parameters = ParameterVector(zeros: layout)
        var state = try optimizer.initialState(for: parameters)
        for _ in 0..<steps {
            try optimizer.step(onTransformed: gradient, state: &state, parameters: &parameters)
        }
        return state
    }

    @Test func scaleFollowsFormula() throws {
        let optimizer = try ScaleThenPrivatize(
            adam(learningRate: 0.1), epsilon: 1e-3, epsilonRoot: 1e-6, warmUpSteps: 1)
        let state = try stepped(optimizer)
        for (index, value) in state.base.first.secondMoment.values.enumerated() {
            let expected = 1 / ((value + 1e-6).squareRoot() + 1e-3)
            #expect(state.scale.values[index] == expected)
            // What the corrected moment would give is told apart.
            let corrected = 1 / ((value * 1000 + 1e-6).squareRoot() + 1e-3)
            #expect(value < 1e-6 || abs(corrected - expected) > 0.01 * expected)
        }
    }

    @Test func firstScaleIsOneOverEpsilon() throws {
        for epsilon in [ScaleEpsilon.paper, ScaleEpsilon.usual, 0.25] {
            let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: epsilon)
            let state = try optimizer.initialState(for: ParameterVector(zeros: layout))
            #expect(state.scale.values.allSatisfy { $0 == 1 / Float(epsilon) })
        }
        #expect(try ScaleThenPrivatize(adam(learningRate: 0.1)).epsilon == ScaleEpsilon.usual)
    }

    @Test func warmUpKeepsOnes() throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.1), warmUpSteps: 2)
        #expect(try stepped(optimizer, steps: 0).scale.values.allSatisfy { $0 == 1 })
        #expect(try stepped(optimizer, steps: 1).scale.values.allSatisfy { $0 == 1 })
        #expect(try stepped(optimizer, steps: 2).scale.values.allSatisfy { $0 != 1 })
    }

    @Test func floorBoundsTheScale() throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: ScaleEpsilon.paper, floor: 0.25)
        let state = try optimizer.initialState(for: ParameterVector(zeros: layout))
        #expect(state.scale.values.allSatisfy { $0 == 2 })
        #expect(state.base.first.secondMoment.values.allSatisfy { $0 == 0 })
    }

    @Test func initialSecondMomentIsTheBases() throws {
        let optimizer = try ScaleThenPrivatize(
            adam(learningRate: 0.1), epsilon: ScaleEpsilon.paper, initialSecondMoment: 0.25)
        let state = try optimizer.initialState(for: ParameterVector(zeros: layout))
        #expect(state.scale.values.allSatisfy { $0 == 2 })
        #expect(state.base.first.secondMoment.values.allSatisfy { $0 == 0.25 })
    }

    @Test func leavesWithoutSecondMomentHaveScaleOne() throws {
        let mask = try TreeMask(["a": false, "b": true], layout: layout)
        let masked = try ScaleThenPrivatize(
            chain {
                Masked(try ScaleByAdam(), mask: mask)
                try Scale(-0.1)
            })
        let scale = try stepped(masked, steps: 2).scale.values
        #expect(scale[..<3].allSatisfy { $0 == 1 })
        #expect(scale[3...].allSatisfy { $0 > 0 && $0 != 1 })

        let parted = try ScaleThenPrivatize(
            partition {
                Masked(try sgd(learningRate: 0.1), mask: mask.complement)
                Masked(try rmsprop(learningRate: 0.1), mask: mask)
            })
        let other = try stepped(parted, steps: 2).scale.values
        #expect(other[..<3].allSatisfy { $0 == 1 })
        #expect(other[3...].allSatisfy { $0 > 0 && $0 != 1 })
    }

    @Test func keyPathFindsAUsersMoment() throws {
        let known = try stepped(ScaleThenPrivatize(adam(learningRate: 0.1)), steps: 3)
        let named = try stepped(
            ScaleThenPrivatize(adam(learningRate: 0.1), secondMoment: \.first.secondMoment), steps: 3)
        let wrong = try stepped(
            ScaleThenPrivatize(adam(learningRate: 0.1), secondMoment: \.first.firstMoment), steps: 3)
        #expect(named.scale == known.scale)
        #expect(wrong.scale != known.scale)
    }

    @Test func invalidNumbersAreNamed() throws {
        let base = try adam(learningRate: 0.1)
        for value in [0, -1, .nan, .infinity] {
            let error = #expect(throws: GradientTransformationError.self) {
                try ScaleThenPrivatize(base, epsilon: value)
            }
            #expect(error?.description.contains("epsilon is \(value)") == true)
        }
        for value in [-1, .nan, .infinity] {
            #expect(throws: GradientTransformationError.self) { try ScaleThenPrivatize(base, epsilonRoot: value) }
            #expect(throws: GradientTransformationError.self) { try ScaleThenPrivatize(base, floor: value) }
            #expect(throws: GradientTransformationError.self) {
                try ScaleThenPrivatize(base, initialSecondMoment: value)
            }
        }
        #expect(
            throws: GradientTransformationError.invalidHyperparameter(
                name: "warmUpSteps", value: -1, allowed: "at least 0")
        ) { try ScaleThenPrivatize(base, warmUpSteps: -1) }
    }

    @Test(arguments: [Float.nan, .infinity])
    func scaleThatCannotBeInvertedThrows(_ value: Float) throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: 1)
        var state = try stepped(optimizer)
        state.base.first.secondMoment.withUnsafeMutableValues { $0[4] = value }
        let zeros = ParameterVector(zeros: layout)
        var parameters = zeros
        try optimizer.step(onTransformed: zeros, state: &state, parameters: &parameters)
        let error = #expect(throws: PrivacyMechanismError.self) {
            try optimizer.preClippingTransform(for: state, layout: layout)
        }
        guard case .invalidScale(_, path: "b", index: 1) = error else {
            Issue.record("\(String(describing: error)) does not name the element")
            return
        }
        // A finite moment at the same place is accepted.
        var good = try stepped(optimizer)
        good.base.first.secondMoment.withUnsafeMutableValues { $0[4] = 1e30 }
        try optimizer.step(onTransformed: zeros, state: &good, parameters: &parameters)
        _ = try optimizer.preClippingTransform(for: good, layout: layout)
    }

    @Test func checkpointContinuesTheRun() throws {
        let optimizer = try ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: 1e-3)
        let state = try stepped(optimizer, steps: 3)
        let copy = try JSONDecoder().decode(type(of: state), from: JSONEncoder().encode(state))
        #expect(copy == state)
        #expect(try stepped(optimizer, steps: 2) != state)
        let again = try JSONDecoder().decode(type(of: optimizer), from: JSONEncoder().encode(optimizer))
        #expect(again == optimizer)
        #expect(try ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: 1e-2) != optimizer)
    }
}
