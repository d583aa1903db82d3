import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing
import _TestSupport

@Suite struct ScaleByCurvatureTests {
    private static func release(
        _ inputs: Matrix, curvature: Double, inputNorm: Double, count: Double, noiseMultiplier: Double,
        seed: UInt64 = 1
    ) throws -> PrivateCurvature {
        var sum = try CurvatureSum(
            featureCount: inputs.columns, curvature: curvature, inputNorm: inputNorm, exampleCount: count,
            noiseMultiplier: noiseMultiplier)
        sum.add(inputs)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: seed)
        return try sum.privatized(noise: &noise)
    }

    private static func vector(_ features: Int, outputs: Int) throws -> ParameterVector {
        ParameterVector(zeros: try TreeLayout([("kernel", [features, outputs]), ("bias", [outputs])]))
    }

    /// (H̃₊ + λI) · u = ĝ, kernel and bias together.
    @Test func itSolves() throws {
        var generator = SeededGenerator(seed: 2)
        let curvature = try Self.release(
            generator.matrix(50, 5), curvature: 0.5, inputNorm: 3, count: 50, noiseMultiplier: 0)
        let link = try ScaleByCurvature(curvature, damping: 0.01)
        var updates = try Self.vector(5, outputs: 3)
        updates.withUnsafeMutableValues { values in for index in values.indices { values[index] = generator.float() } }
        let gradient = updates
        var state = try link.initialState(for: updates)
        link.update(&updates, state: &state, parameters: gradient)
        for row in 0..<6 {
            for output in 0..<3 {
                let product = (0..<6).reduce(0.0) { sum, column in
                    let element = Double(curvature.matrix[row, column]) + (row == column ? 0.01 : 0)
                    return sum + element * Double(updates.values[3 * column + output])
                }
                // H ≤ 4.5, H + λ ≥ 0.01 and |ĝ| ≤ 1: a residual of d·‖H‖·‖u‖ roundings, ‖u‖ ≤ 100·√6.
                let tolerance: Double = 6 * 4.5 * 245 * 0x1p-24 * 4
                #expect(abs(product - Double(gradient.values[3 * row + output])) < tolerance)
            }
        }
    }

    /// Over many seeds the bound on the noise's eigenvalues holds; half of it, the control, never does.
    @Test func theNoisesEigenvaluesAreWithinTheBound() throws {
        for seed in UInt64(1)...20 {
            let empty = try Self.release(
                Matrix(rows: 0, columns: 39), curvature: 0.25, inputNorm: 1, count: 100, noiseMultiplier: 2, seed: seed)
            let smallest = Double(try #require(empty.matrix.symmetricEigendecomposition()).eigenvalues[0])
            #expect(-smallest <= empty.spectralNoiseBound)
            #expect(-smallest > empty.spectralNoiseBound / 2)
        }
    }

    /// Logistic regression on features whose scales differ by twenty, under one budget: fifteen steps with the
    /// curvature, whose release takes a tenth of it, reach what a hundred steps of gradient descent at the best of
    /// their constant rates do not.
    @Test func fewStepsReachWhatManyOfDescentDoNot() throws {
        var generator = SeededGenerator(seed: 5)
        let (count, scales) = (2000, [0.7, 0.5, 0.05, 0.03] as [Float])
        var elements: [Float] = []
        var labels: [Float] = []
        for _ in 0..<count {
            let input = scales.map { $0 * generator.float() }
            let score = zip(input, [2, -3, 40, -60] as [Float]).reduce(0) { $0 + $1.0 * $1.1 }
            elements += input
            labels.append(generator.float(0...1) < 1 / (1 + exp(-score)) ? 1 : 0)
        }
        let inputs = Matrix(rows: count, columns: 4, elements: elements)
        let zero = try Self.vector(4, outputs: 1)

        // Releases add up to Σ 1/z²: 1/z² of the curvature, T/z² of T steps.
        let (budget, share) = (2.0, 0.1)
        func newton(curvatureShare: Double) throws -> Double {
            let curvature = try Self.release(
                inputs, curvature: 0.25, inputNorm: 1.4, count: Double(count),
                noiseMultiplier: (1 / (budget * curvatureShare)).squareRoot())
            return try Self.loss(
                after: 15,
                of: chain {
                    try ScaleByCurvature(curvature); try sgd(learningRate: 1)
                }, from: zero, inputs,
                labels, noiseMultiplier: (15 / (budget * (1 - share))).squareRoot())
        }
        let second = try newton(curvatureShare: share)
        for rate in [4, 8, 12] {
            let first = try Self.loss(
                after: 100, of: sgd(learningRate: Double(rate)), from: zero, inputs, labels,
                noiseMultiplier: (100 / budget).squareRoot())
            #expect(second < first)
        }
        // Control: a curvature that is noise alone is no help.
        #expect(try newton(curvatureShare: share / 10_000) > second + 0.05)
    }

    /// The mean logistic loss after `steps` private steps on all examples.
    private static func loss<Optimizer: GradientTransformation>(
        after steps: Int, of optimizer: Optimizer, from start: ParameterVector, _ inputs: Matrix, _ labels: [Float],
        noiseMultiplier: Double
    ) throws -> Double {
        var parameters = start
        var state = try optimizer.initialState(for: parameters)
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 9)
        let features = inputs.columns
        func scores(_ parameters: ParameterVector) -> [Float] {
            (0..<inputs.rows).map { row in
                (0..<features).reduce(parameters.values[features]) { $0 + inputs[row, $1] * parameters.values[$1] }
            }
        }
        let rule = try ClippingRule.flat(l2ClipNorm: 1.4, normalizeBy: Double(inputs.rows))
        for _ in 0..<steps {
            var elements: [Float] = []
            for (row, score) in scores(parameters).enumerated() {
                let error = 1 / (1 + exp(-score)) - labels[row]
                elements += inputs.row(row).map { error * $0 } + [error]
            }
            var sum = try ClippedAggregate(
                rule, transform: IdentityTransform(layout: parameters.layout), noiseMultiplier: noiseMultiplier)
            sum.add(
                try DenseRows(
                    Matrix(rows: inputs.rows, columns: features + 1, elements: elements), layout: parameters.layout))
            var gradient = try sum.privatized(noise: &noise).vector
            optimizer.step(&gradient, state: &state, parameters: &parameters)
        }
        return zip(scores(parameters), labels).reduce(0) { sum, pair in
            sum + log1p(exp(Double(pair.1 == 1 ? -pair.0 : pair.0)))
        } / Double(inputs.rows)
    }

    @Test func whatDoesNotFitIsNamed() throws {
        let data = Matrix(rows: 1, columns: 2, elements: [1, 2])
        let exact = try Self.release(data, curvature: 0.25, inputNorm: 3, count: 1, noiseMultiplier: 0)
        #expect(throws: GradientTransformationError.self) { try ScaleByCurvature(exact) }
        #expect(throws: GradientTransformationError.self) { try ScaleByCurvature(exact, damping: -1) }
        let link = try ScaleByCurvature(exact, damping: 0.1)
        for leaves: [(path: TreePath, shape: [Int])] in [
            [("kernel", [2, 1])], [("kernel", [3, 1]), ("bias", [1])], [("bias", [1]), ("kernel", [2, 1])],
            [("kernel", [2, 3]), ("bias", [1])], [("k", [2, 1]), ("l", [1]), ("m", [1])], [("k", [3])], [],
        ] {
            let vector = ParameterVector(zeros: try TreeLayout(leaves))
            let error = #expect(throws: GradientTransformationError.self) { try link.initialState(for: vector) }
            guard case .layoutMismatch("curvature", _, vector.layout) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        // Controls: with the bias, and without it as one row more of a kernel.
        #expect(throws: Never.self) { try link.initialState(for: Self.vector(2, outputs: 3)) }
        let whole = ParameterVector(zeros: try TreeLayout([(path: "kernel", shape: [3, 2])]))
        #expect(throws: Never.self) { try link.initialState(for: whole) }
    }

    @Test func updatesOfAnotherLayoutTrap() async {
        let outcome = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var updates = try Self.vector(4, outputs: 1)
            let link = try ScaleByCurvature(
                Self.release(
                    Matrix(rows: 0, columns: 2), curvature: 0.25, inputNorm: 1, count: 1, noiseMultiplier: 1))
            var state = EmptyState()
            link.update(&updates, state: &state, parameters: updates)
        }
        let text = String(decoding: outcome?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("kernel float32[4,1]") && text.contains("do not fit a curvature of 3 rows."))
    }
}
