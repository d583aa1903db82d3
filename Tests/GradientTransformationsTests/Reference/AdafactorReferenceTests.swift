import Foundation
import GradientTransformations
import PyTrees
import Testing

/// Trajectories of optax's Adafactor, element by element, over leaves that are factored in every way.
///
/// The tolerance counts roundings of Float32, each of ε = 2⁻²⁴, on optax's side; ours takes means in Float64. A mean of
/// n ≤ 6 squares has n + 1, and by step t its running mean has gone through 4 t more, of which 1 − β_t, a difference
/// of β_t rounded, is one that is magnified by t^c ≤ 5 at most. Three of these enter, each through a root: 1.5 times.
/// The root mean squares of a leaf's update and of its parameters take N ≤ 60 squares: N / 2 each. Sixteen more make
/// the update of them. Errors are relative to an update without cancellation, which the same optimizer makes of
/// absolute values.
@Suite struct AdafactorReferenceTests {
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
        let params: Tree
        let gradients: [Tree]
        let updates: [Tree]
        let paramsAfter: [Tree]

        private enum CodingKeys: String, CodingKey {
            case name, params, gradients, updates
            case paramsAfter = "params_after"
        }
    }

    struct Tree: Decodable {
        let vector: ParameterVector

        init(from decoder: any Decoder) throws {
            let leaves = try [String: ReferenceTree.Numbers](from: decoder)
            vector = try ParameterVector(
                values: AdafactorReferenceTests.layout.leaves.flatMap { leaves[$0.path.description]?.values ?? [] },
                layout: AdafactorReferenceTests.layout)
        }
    }

    static let layout = {
        do {
            return try TreeLayout([
                ("bias", [5]), ("kernel", [6, 5]), ("stack", [4, 3, 5]), ("taps", [5, 4, 2]), ("temperature", []),
            ])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Nil where another folder of reference values has none of them.
    static let file = try? ReferenceValues.load("adafactor.json", as: File.self)

    static func optimizer(_ name: String, _ rate: Double, _ x: ParameterVector) throws -> any OptimizerUnderTest {
        switch name {
        case "unfactored": try Running(adafactor(learningRate: rate), x)
        case "factored": try Running(adafactor(learningRate: rate, minimumFactoredSide: 2), x)
        case "momentum":
            try Running(
                adafactor(learningRate: rate, minimumFactoredSide: 4, momentum: 0.9, weightDecay: 0.01), x)
        default:
            try Running(
                adafactor(
                    learningRate: rate, minimumFactoredSide: 5, decayExponent: 0.7, clippingThreshold: 0.5,
                    multiplyByParameterScale: false, epsilon: 1e-3), x)
        }
    }

    /// The allowed error of an update relative to one without cancellation.
    static func relativeError(step: Int) -> Double {
        0x1p-24 * (1.5 * (7 + 4 * Double(step) + 5) + 60 + 16)
    }

    /// Whether the optimizer that `make` makes goes the way of the case.
    static func follows(_ reference: Case, _ make: (ParameterVector) throws -> any OptimizerUnderTest) throws -> Bool {
        var parameters = reference.params.vector
        let (optimizer, shadow, stepping) = (try make(parameters), try make(parameters), try make(parameters))
        var stepped = parameters
        var parameterErrors = [Double](repeating: 0, count: parameters.count)
        for step in reference.gradients.indices {
            let gradient = reference.gradients[step].vector
            let size = shadow.updated(gradient.magnitudes, parameters: parameters.magnitudes)
            let updates = optimizer.updated(gradient, parameters: parameters)
            stepping.step(gradient, parameters: &stepped)
            parameters = reference.paramsAfter[step].vector
            let expected = reference.updates[step].vector
            for index in updates.values.indices {
                let scale = Double(max(abs(size.values[index]), abs(expected.values[index])))
                let error = relativeError(step: step + 1) * scale
                if !(abs(Double(updates.values[index]) - Double(expected.values[index])) <= error) { return false }
                // Parameters collect the errors of their updates; those enter again through a leaf's size.
                parameterErrors[index] += 2 * error + 0x1p-23 * Double(abs(parameters.values[index]))
                let difference = abs(Double(stepped.values[index]) - Double(parameters.values[index]))
                if !(difference <= parameterErrors[index]) { return false }
            }
        }
        return true
    }

    @Test(.enabled(if: file != nil), arguments: ["unfactored", "factored", "momentum", "absolute"])
    func trajectory(_ name: String) throws {
        let file = try #require(Self.file)
        let reference = try #require(file.cases.first { $0.name == name })
        #expect(try Self.follows(reference) { try Self.optimizer(name, file.learningRate, $0) })
    }

    /// Negative control: neighbouring formulas are told apart.
    @Test(.enabled(if: file != nil)) func toleranceRejectsNeighbours() throws {
        let file = try #require(Self.file)
        let reference = try #require(file.cases.first { $0.name == "factored" })
        let rate = file.learningRate
        let wrong: [(ParameterVector) throws -> any OptimizerUnderTest] = [
            { try Running(adafactor(learningRate: rate * (1 + 1e-4), minimumFactoredSide: 2), $0) },
            { try Running(adafactor(learningRate: rate, minimumFactoredSide: 5), $0) },
            { try Running(adafactor(learningRate: rate, minimumFactoredSide: 2, decayExponent: 0.801), $0) },
            { try Running(adafactor(learningRate: rate, minimumFactoredSide: 2, clippingThreshold: 0.9), $0) },
            { try Running(adafactor(learningRate: rate, minimumFactoredSide: 2, multiplyByParameterScale: false), $0) },
            { try Running(adafactor(learningRate: rate, minimumFactoredSide: 2, weightDecay: 1e-3), $0) },
            { try Running(adafactor(learningRate: rate, minimumFactoredSide: 2, momentum: 0.01), $0) },
            { try Running(adafactor(learningRate: rate, minimumFactoredSide: 2, epsilon: 1e-4), $0) },
        ]
        for make in wrong { #expect(try !Self.follows(reference, make)) }
    }
}
