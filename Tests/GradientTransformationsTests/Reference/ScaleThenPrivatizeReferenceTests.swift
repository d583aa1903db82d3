import Foundation
import GradientTransformations
import PrivateOptimization
import PyTrees
import Testing

/// The inverse of scale-then-privatize, fused with a step: noisy sums in, parameters out.
///
/// The scale s = 1 / (√(v + εᵣ) + ε) is made here from the optimizer's second moment before the step. Each gradient has
/// five roundings more than one that arrives unscaled; gradients and moments carry them on, so that the errors of an
/// update are those of ``OptimizerReferenceTests`` and ten more. Where v = 0 and ε = 1e-8, ĝ = y ⊘ s is tiny but its
/// relative error is no larger.
@Suite struct ScaleThenPrivatizeReferenceTests {
    struct File: Decodable {
        let cases: [Case]
    }

    struct Case: Decodable {
        let base: String
        let learningRate: Double
        let eps: Double
        let epsRoot: Double
        let params: ReferenceTree
        let noisySum: [ReferenceTree]
        let updates: [ReferenceTree]
        let paramsAfter: [ReferenceTree]

        private enum CodingKeys: String, CodingKey {
            case base, eps, params, updates
            case learningRate = "learning_rate"
            case epsRoot = "eps_root"
            case noisySum = "noisy_sum"
            case paramsAfter = "params_after"
        }
    }

    static func optimizer(_ name: String, _ rate: Double, _ x: ParameterVector) throws -> any OptimizerUnderTest {
        switch name {
        case "adam": return try Running(adam(learningRate: rate), x)
        case "adamw": return try Running(adamw(learningRate: rate, weightDecay: 0.1), x)
        case "amsgrad": return try Running(amsgrad(learningRate: rate), x)
        case "rmsprop": return try Running(rmsprop(learningRate: rate), x)
        case "adagrad": return try Running(adagrad(learningRate: rate), x)
        default:
            return try Running(
                chain {
                    try ClipByGlobalNorm(1)
                    try ScaleByAdam()
                    try Scale(-rate)
                }, x)
        }
    }

    static func scale(_ v: ParameterVector, _ epsilon: Double, _ root: Double) -> ParameterVector {
        v.map { 1 / (($0 + Float(root)).squareRoot() + Float(epsilon)) }
    }

    @Test func trajectories() throws {
        let file = try ReferenceValues.load("scale_then_privatize.json", as: File.self)
        #expect(!file.cases.isEmpty)
        for reference in file.cases {
            var parameters = try reference.params.vector
            let updating = try Self.optimizer(reference.base, reference.learningRate, parameters)
            let stepping = try Self.optimizer(reference.base, reference.learningRate, parameters)
            let shadow = try Self.optimizer(reference.base, reference.learningRate, parameters)
            let name = reference.base == "rmsprop" || reference.base == "adagrad" ? reference.base : "adam"
            for step in reference.noisySum.indices {
                let y = try reference.noisySum[step].vector
                let v = try #require(updating.secondMoments.first)
                let s = Self.scale(v, reference.eps, reference.epsRoot)
                var gradient = y
                gradient.withUnsafeMutableValues { for index in $0.indices { $0[index] /= s.values[index] } }
                let size = shadow.updated(gradient.magnitudes, parameters: parameters.map { -abs($0) })
                let updates = updating.updated(gradient, parameters: parameters)

                var stepped = parameters
                var noisy = y
                stepping.step(&noisy, dividedBy: s, parameters: &stepped)
                #expect(stepped == parameters.adding(updates), "The fused step is another one.")

                let expected = try reference.updates[step].vector
                let error = OptimizerReferenceTests.relativeError(of: name, step: step + 1) + 10 * 0x1p-24
                for index in updates.values.indices {
                    let scale = Double(max(abs(size.values[index]), abs(expected.values[index])))
                    #expect(
                        abs(Double(updates.values[index]) - Double(expected.values[index])) <= error * scale,
                        """
                        \(reference.base), ε \(reference.eps), step \(step), element \(index): \
                        \(updates.values[index]), not \(expected.values[index])
                        """)
                }
                parameters = try reference.paramsAfter[step].vector
            }
        }
    }
}
