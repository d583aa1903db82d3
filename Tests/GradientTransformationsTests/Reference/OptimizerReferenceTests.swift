import Foundation
import GradientTransformations
import PyTrees
import Testing

/// Trajectories of optax, element by element.
///
/// The tolerance follows the arithmetic, with ε = 2⁻²⁴, the rounding error of one Float32 operation. By step t each
/// moment has gone through t updates of three operations, and the second one enters through a root, which halves its
/// error: 4.5 t. Eight more operations make the update of them. optax computes 1 − βᵗ in Float32: β is rounded, the
/// power is too, and the subtraction magnifies that by 1 / (1 − βᵗ); ours is exact. Errors are relative to an update
/// without cancellation, which the same optimizer makes of absolute values.
@Suite struct OptimizerReferenceTests {
    struct File: Decodable {
        let learningRate: Double
        let cases: [Case]

        private enum CodingKeys: String, CodingKey {
            case learningRate = "learning_rate"
            case cases
        }
    }

    struct Case: Decodable {
        let name: String
        let params: ReferenceTree
        let gradients: [ReferenceTree]
        let updates: [ReferenceTree]
        let paramsAfter: [ReferenceTree]

        private enum CodingKeys: String, CodingKey {
            case name, params, gradients, updates
            case paramsAfter = "params_after"
        }
    }

    static let names = [
        "sgd", "sgd_momentum", "sgd_nesterov", "adam", "adam_eps_root", "nadam", "adamw", "adamw_masked", "amsgrad",
        "rmsprop", "rmsprop_centered_momentum", "adagrad", "adadelta", "adabelief", "yogi", "lion", "lamb",
        "chain_clip_adam_schedule",
    ]

    static func optimizer(_ name: String, _ rate: Double, _ x: ParameterVector) throws -> any OptimizerUnderTest {
        switch name {
        case "sgd": return try Running(sgd(learningRate: rate), x)
        case "sgd_momentum": return try Running(sgd(learningRate: rate, momentum: 0.9), x)
        case "sgd_nesterov": return try Running(sgd(learningRate: rate, momentum: 0.9, nesterov: true), x)
        case "adam": return try Running(adam(learningRate: rate), x)
        case "adam_eps_root":
            return try Running(
                adam(learningRate: rate, beta1: 0.8, beta2: 0.95, epsilon: 1e-6, epsilonRoot: 1e-4), x)
        case "nadam": return try Running(nadam(learningRate: rate), x)
        case "adamw": return try Running(adamw(learningRate: rate, weightDecay: 0.1), x)
        case "adamw_masked":
            let mask = try TreeMask(
                ["dense": ["bias": false, "kernel": true], "temperature": false], layout: x.layout)
            return try Running(adamw(learningRate: rate, weightDecay: 0.1, mask: mask), x)
        case "amsgrad": return try Running(amsgrad(learningRate: rate), x)
        case "rmsprop": return try Running(rmsprop(learningRate: rate), x)
        case "rmsprop_centered_momentum":
            return try Running(centeredRmsprop(learningRate: rate, decay: 0.8, momentum: 0.9), x)
        case "adagrad": return try Running(adagrad(learningRate: rate), x)
        case "adadelta": return try Running(adadelta(learningRate: rate), x)
        case "adabelief": return try Running(adabelief(learningRate: rate), x)
        case "yogi": return try Running(yogi(learningRate: rate), x)
        case "lion": return try Running(lion(learningRate: rate, weightDecay: 0.01), x)
        case "lamb": return try Running(lamb(learningRate: rate, weightDecay: 0.01), x)
        default:
            let schedule = try warmupCosineSchedule(from: 0, peak: 0.1, warmupSteps: 3, steps: 10, to: 0.01)
            return try Running(
                chain {
                    try ClipByGlobalNorm(0.5)
                    try ScaleByAdam()
                    try AddDecayedWeights(0.02)
                    ScaleBySchedule(schedule)
                    try Scale(-1)
                }, x)
        }
    }

    /// The allowed error of an update relative to one without cancellation.
    static func relativeError(of name: String, step: Int) -> Double {
        let t = Double(step)
        let (beta1, beta2): (Double, Double) =
            switch name {
            case "sgd", "sgd_momentum", "sgd_nesterov", "rmsprop", "rmsprop_centered_momentum", "adagrad", "adadelta",
                "lion":
                (0, 0)
            case "adam_eps_root": (0.8, 0.95)
            default: (0.9, 0.999)
            }
        func correction(_ beta: Double) -> Double { beta == 0 ? 0 : (t / 2 + 2) / (1 - pow(beta, t)) }
        return 0x1p-24 * (4.5 * t + 8 + correction(beta1) + correction(beta2) / 2)
    }

    @Test(arguments: names) func trajectory(_ name: String) throws {
        let file = try ReferenceValues.load("optimizers.json", as: File.self)
        let reference = try #require(file.cases.first { $0.name == name })
        var parameters = try reference.params.vector
        let optimizer = try Self.optimizer(name, file.learningRate, parameters)
        let stepping = try Self.optimizer(name, file.learningRate, parameters)
        let shadow = try Self.optimizer(name, file.learningRate, parameters)
        var stepped = parameters
        var parameterErrors = [Double](repeating: 0, count: parameters.count)
        for step in reference.gradients.indices {
            let gradient = try reference.gradients[step].vector
            let size = shadow.updated(gradient.magnitudes, parameters: parameters.map { -abs($0) })
            let updates = optimizer.updated(gradient, parameters: parameters)
            stepping.step(gradient, parameters: &stepped)
            parameters = try reference.paramsAfter[step].vector
            let expected = try reference.updates[step].vector
            for index in updates.values.indices {
                let error = Self.relativeError(of: name, step: step + 1)
                let scale = Double(max(abs(size.values[index]), abs(expected.values[index])))
                let difference = abs(Double(updates.values[index]) - Double(expected.values[index]))
                #expect(
                    difference <= error * scale,
                    "step \(step), element \(index): \(updates.values[index]), not \(expected.values[index])")
                // Parameters collect the errors of their updates, and one rounding of each side's in every step.
                parameterErrors[index] += error * scale + 0x1p-23 * Double(abs(parameters.values[index]))
                #expect(
                    abs(Double(stepped.values[index]) - Double(parameters.values[index])) <= parameterErrors[index],
                    "step \(step), parameter \(index): \(stepped.values[index]), not \(parameters.values[index])")
            }
        }
    }

    @Test func tableIsComplete() throws {
        let file = try ReferenceValues.load("optimizers.json", as: File.self)
        #expect(file.cases.map(\.name) == Self.names)
    }

    /// Negative control: the tolerance tells neighbouring hyperparameters and formulas apart.
    @Test func toleranceRejectsNeighbours() throws {
        let file = try ReferenceValues.load("optimizers.json", as: File.self)
        let reference = try #require(file.cases.first { $0.name == "adam" })
        let parameters = try reference.params.vector
        let wrong: [any OptimizerUnderTest] = [
            try Running(adam(learningRate: 0.05 * (1 + 2e-4)), parameters),
            try Running(adam(learningRate: 0.05, epsilonRoot: 1e-4), parameters),
            try Running(nadam(learningRate: 0.05), parameters),
            try Running(amsgrad(learningRate: 0.05), parameters),
        ]
        for optimizer in wrong {
            var isRejected = false
            for step in reference.gradients.indices {
                let updates = optimizer.updated(try reference.gradients[step].vector, parameters: parameters)
                let expected = try reference.updates[step].vector
                for (value, expected) in zip(updates.values, expected.values) {
                    let error = Self.relativeError(of: "adam", step: step + 1) * Double(abs(expected))
                    if abs(Double(value) - Double(expected)) > error { isRejected = true }
                }
            }
            #expect(isRejected)
        }
    }
}
