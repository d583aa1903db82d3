import Datasets
import Foundation
import LinearAlgebra
import Networks
import PyTrees
import Testing

@Suite struct GradientCheckTests {
    private static let layout: TreeLayout = {
        do { return try TreeLayout([("hidden", [3, 4]), ("out", [4]), ("bias", [1])]) } catch { fatalError("\(error)") }
    }()

    /// What a hand-written gradient gets wrong.
    enum Fault: CaseIterable {
        case none, outTwice, hiddenSign, noBias, notANumber, hiddenWithoutDerivative

        var leaves: [TreePath] {
            switch self {
            case .none: []
            case .outTwice, .notANumber: ["out"]
            case .hiddenSign, .hiddenWithoutDerivative: ["hidden"]
            case .noBias: ["bias"]
            }
        }
    }

    /// y = out · tanh(hiddenᵀx) + bias under ½(y − t)², its gradient by hand.
    private static func model(_ fault: Fault) -> ClosureModel<ParameterVector> {
        ClosureModel(
            layout: layout, featureCount: 3, outputCount: 1,
            initialParameters: { _ in ParameterVector(zeros: layout) }
        ) { inputs, target, parameters, gradient in
            guard case .values(let t) = target else { fatalError("Numbers are to be predicted.") }
            let values = parameters.values
            let hidden = (0..<4).map { unit in
                tanh((0..<3).reduce(Float(0)) { $0 + inputs[$1] * values[$1 * 4 + unit] })
            }
            let error = (0..<4).reduce(values[16] - t[0]) { $0 + values[12 + $1] * hidden[$1] }
            for unit in 0..<4 {
                gradient[12 + unit] = error * hidden[unit] * (fault == .outTwice ? 2 : 1)
                let derivative = fault == .hiddenWithoutDerivative ? 1 : 1 - hidden[unit] * hidden[unit]
                for input in 0..<3 {
                    gradient[input * 4 + unit] =
                        error * values[12 + unit] * derivative * inputs[input] * (fault == .hiddenSign ? -1 : 1)
                }
            }
            if fault == .notANumber { gradient[13] = .nan }
            if fault != .noBias { gradient[16] = error }
            return error * error / 2
        }
    }

    @Test(arguments: Fault.allCases) func theWrongLeafIsNamed(_ fault: Fault) throws {
        var generator = SeededGenerator(seed: 1)
        let examples = Examples(inputs: generator.matrix(6, 3), targets: .values(generator.matrix(6, 1)))
        let parameters = try ParameterVector(values: generator.floats(17), layout: Self.layout)
        let check = Self.model(fault).checkGradients(of: examples, at: parameters, elementsPerLeaf: nil)
        #expect(check.wrongLeaves == fault.leaves, "\(check)")
        #expect(check.passes == (fault == .none))
        #expect(check.comparedCount == 6 * 17 && check.kinkCount == 0 && check.nonFiniteCount == 0)
        let worst = try #require(check.worst)
        #expect(fault == .none || worst.path == fault.leaves[0])
        #expect("\(check)".contains("\(worst.path)[\(worst.index)] of example \(worst.example)"))
        #expect("\(check)".hasPrefix(fault == .none ? "right" : "wrong in \(fault.leaves[0])"))
        // A part of the elements finds it too: every leaf has some in it.
        #expect(
            Self.model(fault).checkGradients(of: examples, at: parameters, elementsPerLeaf: 4, seed: 2).passes
                == (fault == .none))
    }

    /// Near such parameters the loss exp(wide) + narrow² overflows Float32 on one side: an infinite tolerance would let
    /// any gradient pass.
    @Test(arguments: [Float(1), 88.5]) func whatOverflowsIsNotCompared(_ wide: Float) throws {
        let layout = try TreeLayout([("wide", [1]), ("narrow", [1])])
        let model = ClosureModel(
            layout: layout, featureCount: 1, outputCount: 1,
            initialParameters: { _ in ParameterVector(zeros: layout) }
        ) { _, _, parameters, gradient in
            let values = parameters.values
            // Wrong by a factor where the loss is large.
            gradient[0] = exp(values[0]) * (values[0] > 80 ? 3 : 1)
            gradient[1] = 2 * values[1]
            return values[0] > 80 ? exp(values[0]) : exp(values[0]) + values[1] * values[1]
        }
        let examples = Examples(inputs: Matrix([[1]]), targets: .values(Matrix([[0]])))
        let check = model.checkGradients(
            of: examples, at: try ParameterVector(values: [wide, 0.5], layout: layout), elementsPerLeaf: nil)
        #expect(check.passes == (wide == 1), "\(check)")
        #expect(check.nonFiniteCount == (wide == 1 ? 0 : 1))
        #expect(check.uncomparedLeaves == (wide == 1 ? [] : ["wide"]))
        #expect("\(check)".contains("nothing was compared in wide") == (wide != 1))
    }

    /// ReLU and maxima have kinks: they are passed over, and nothing is called wrong.
    @Test(arguments: [Activation.relu, .tanh, .gelu]) func networksPass(_ activation: Activation) throws {
        var generator = SeededGenerator(seed: 3)
        let network = try Network(
            NetworkArchitecture(
                input: .image(height: 5, width: 5, channels: 1),
                layers: [
                    .convolution(outputs: 3, size: 3, stride: 1, padding: 1, activation: activation),
                    .pooling(.max, size: 2, stride: 1), .dense(outputs: 6, activation: activation),
                    .dense(outputs: 3, activation: .identity),
                ], loss: .softmaxCrossEntropy))
        let examples = generator.examples(8, for: network)
        let check = network.checkGradients(of: examples, at: try generator.parameters(for: network))
        #expect(check.passes, "\(check)")
        #expect(check.comparedCount > check.kinkCount)
    }
}
