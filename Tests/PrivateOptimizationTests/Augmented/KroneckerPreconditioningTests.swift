import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

@Suite struct KroneckerPreconditioningTests {
    let layout = try! TreeLayout([("bias", [3]), ("kernel", [6, 4])])

    func random(seed: UInt64) -> ParameterVector {
        var noise = GaussianNoise(nonPrivateSeed: seed)
        var vector = ParameterVector(zeros: layout)
        vector.withMutableSpan { noise.fill(&$0) }
        return vector
    }

    typealias Optimizer = KroneckerPreconditioning<ScaleByLearningRate<Double>>

    func state(_ optimizer: Optimizer, steps: Int) throws -> Optimizer.State {
        var parameters = ParameterVector(zeros: layout)
        var state = try optimizer.initialState(for: parameters)
        for step in 0..<steps {
            try optimizer.step(onTransformed: random(seed: UInt64(step)), state: &state, parameters: &parameters)
        }
        return state
    }

    func image(_ vector: ParameterVector, _ transform: some GeneralTransform) -> ParameterVector {
        var result = ParameterVector(zeros: transform.transformedLayout)
        vector.withSpan { rows in result.withMutableSpan { transform.transform(rows, into: &$0) } }
        return result
    }

    func difference(_ left: ParameterVector, _ right: ParameterVector) -> Float {
        zip(left.values, right.values).map { abs($0 - $1) }.max()!
    }

    @Test func identityUntilTheFirstRefresh() throws {
        let optimizer = try Optimizer(sgd(learningRate: 0.1), refreshEvery: 2)
        let gradient = random(seed: 50)
        let early = try optimizer.preClippingTransform(for: state(optimizer, steps: 1), layout: layout)
        #expect(image(gradient, early) == gradient)
        let late = try optimizer.preClippingTransform(for: state(optimizer, steps: 2), layout: layout)
        #expect(image(gradient, late) != gradient)
    }

    /// The factors' condition number is at most ((λ + δ)/δ)^¼ < 20, and products have at most 6 terms.
    @Test func inverseUndoesTransform() throws {
        let optimizer = try Optimizer(sgd(learningRate: 0.1), damping: 1e-3)
        let transform = try optimizer.preClippingTransform(for: state(optimizer, steps: 5), layout: layout)
        let gradient = random(seed: 50)
        #expect(difference(transform.inverse(image(gradient, transform)), gradient) < 1e-4)
        #expect(difference(image(image(gradient, transform), transform), gradient) > 0.1)
    }

    /// The fourth power of A is (L + δI)⁻¹.
    @Test func factorsAreInverseRoots() throws {
        let optimizer = try Optimizer(sgd(learningRate: 0.1), damping: 1e-2)
        let state = try state(optimizer, steps: 5)
        func matrix(_ vector: ParameterVector, _ path: TreePath) -> Matrix {
            let leaf = vector.layout[path]!
            return Matrix(rows: leaf.shape[0], columns: leaf.shape[1], elements: Array(vector.values[leaf.range]))
        }
        func product(_ left: Matrix, _ right: Matrix) -> Matrix {
            var result = Matrix(rows: left.rows, columns: right.columns)
            BLAS.gemm(left, .none, right, .none, into: &result)
            return result
        }
        for path: TreePath in ["kernel/left", "kernel/right"] {
            let root = matrix(state.factors, path)
            var moment = matrix(state.secondMoments, path)
            for index in 0..<moment.rows { moment[index, index] += 1e-2 }
            let square = product(root, root)
            let unit = product(product(square, square), moment)
            for row in 0..<unit.rows {
                for column in 0..<unit.rows { #expect(abs(unit[row, column] - (row == column ? 1 : 0)) < 1e-3) }
            }
            #expect(abs(product(square, moment)[0, 0] - 1) > 1e-2)
        }
    }

    @Test func neighboursDifferByTheSensitivity() throws {
        let optimizer = try Optimizer(sgd(learningRate: 0.1), damping: 1e-3)
        let transform = try optimizer.preClippingTransform(for: state(optimizer, steps: 5), layout: layout)
        let rows = try DenseRows(
            Matrix(rows: 30, columns: layout.count, elements: (0..<30).flatMap { random(seed: 100 + $0).values }),
            layout: layout)
        func distance(clipNorm: Double) throws -> Double {
            let sums = try [nil, 11].map { example in
                var aggregate = try ClippedAggregate(
                    .flat(l2ClipNorm: clipNorm), transform: transform, noiseMultiplier: 0)
                aggregate.add(rows, padding: (0..<30).map { $0 == example })
                var noise = Noise(.discreteGaussian, nonPrivateSeed: 0)
                return try aggregate.noised(noise: &noise).vector
            }
            return zip(sums[0].values, sums[1].values).map { pow(Double($0) - Double($1), 2) }.reduce(0, +).squareRoot()
        }
        // The two sums are rounded to Float32: 2·2⁻²³ of elements of at most 30, times √27.
        #expect(try distance(clipNorm: 0.7) <= 0.7 + 1e-4)
        #expect(try distance(clipNorm: .infinity) > 0.7 + 1e-4)
    }

    @Test func trainingConverges() throws {
        let problem = LeastSquares(examples: 30, inputs: 8, outputs: 6)
        let start = problem.loss(at: ParameterVector(zeros: problem.layout))
        let optimizer = try Optimizer(sgd(learningRate: 0.3), damping: 1e-2, refreshEvery: 5)
        #expect(try problem.loss(after: 200, of: optimizer, l2ClipNorm: 1e3, noiseMultiplier: 0) < 1e-2 * start)
        let still = try Optimizer(sgd(learningRate: 0), damping: 1e-2, refreshEvery: 5)
        #expect(try problem.loss(after: 200, of: still, l2ClipNorm: 1e3, noiseMultiplier: 0) == start)
    }

    @Test func momentsThatAreNotFiniteKeepTheLastRoots() throws {
        let optimizer = try Optimizer(sgd(learningRate: 0.1))
        var state = try state(optimizer, steps: 3)
        let before = state.factors
        var parameters = ParameterVector(zeros: layout)
        try optimizer.step(
            onTransformed: ParameterVector(repeating: .infinity, layout: layout), state: &state,
            parameters: &parameters)
        #expect(state.factors == before)
        #expect(try self.state(optimizer, steps: 4).factors != before)
    }

    @Test func badNumbersAndShapesAreNamed() throws {
        let base = try sgd(learningRate: 0.1)
        #expect(throws: GradientTransformationError.self) { try Optimizer(base, decay: 1) }
        #expect(throws: GradientTransformationError.self) { try Optimizer(base, damping: 0) }
        #expect(throws: GradientTransformationError.self) { try Optimizer(base, power: .nan) }
        #expect(
            throws: GradientTransformationError.invalidHyperparameter(
                name: "refreshEvery", value: 0, allowed: "at least 1")
        ) { try Optimizer(base, refreshEvery: 0) }
        let short = try Optimizer(base, maximumSide: 5)
        let error = #expect(throws: GradientTransformationError.self) {
            try short.initialState(for: ParameterVector(zeros: layout))
        }
        #expect(error?.description.contains("at least 6") == true)
        _ = try Optimizer(base, maximumSide: 6).initialState(for: ParameterVector(zeros: layout))
        let vectors = ParameterVector(zeros: try TreeLayout([("bias", [5])]))
        #expect(throws: GradientTransformationError.self) { try Optimizer(base).initialState(for: vectors) }
    }
}
