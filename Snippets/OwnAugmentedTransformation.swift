// An optimizer of your own that says how gradients are scaled before they are clipped.
//
// The gradient of each leaf is divided by the size that it has had so far, so that clipping treats all leaves alike.
// The sizes are those of noisy gradients, so that the scale is private.

import PrivateTraining

struct LeafNormalized<Base: GradientTransformation>: AugmentedGradientTransformation {
    struct State: Codable, Sendable {
        var base: Base.State
        var squares: ParameterVector
    }

    static var identifier: String { "leaf_normalized(\(Base.identifier))" }
    let base: Base

    func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> State {
        State(
            base: try base.initialState(for: parameters),
            squares: ParameterVector(repeating: 1, layout: parameters.layout))
    }

    func preClippingTransform(
        for state: State, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> DiagonalTransform {
        var scale = state.squares
        scale.withUnsafeMutableValues { scale in
            for index in scale.indices { scale[index] = 1 / (scale[index].squareRoot() + 1e-3) }
        }
        return try DiagonalTransform(scale: scale)
    }

    func update(
        _ gradient: consuming TransformedGradient<DiagonalTransform>, state: inout State, parameters: ParameterVector
    ) -> ParameterVector {
        var updates = gradient.inverted().vector
        for leaf in updates.layout.leaves {
            let square = updates.values[leaf.range].reduce(0) { $0 + $1 * $1 } / Float(leaf.range.count)
            state.squares.withUnsafeMutableValues { squares in
                for index in leaf.range { squares[index] = 0.9 * squares[index] + 0.1 * square }
            }
        }
        base.update(&updates, state: &state.base, parameters: parameters)
        return updates
    }
}

let (training, test) = Digits.split
let plan = try PrivacyPlan(
    exampleCount: training.count, expectedBatchSize: 250, epochs: 20, clipping: .flat(l2ClipNorm: 1),
    budget: .epsilon(4), delta: 1e-5)
let trainer = try Trainer(
    plan: plan, model: Network(.multilayerPerceptron(dims: [64, 32, 10], activation: .tanh)),
    optimizer: LeafNormalized(base: adam(learningRate: 0.02)))
let outcome = try trainer.fit(training, evaluatingOn: test)
print(outcome)
// snippet.hide
precondition(outcome.evaluation!.accuracy! > 0.5)
