import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

@Suite struct LowRankProjectionTests {
    /// A tall matrix, a wide one, one that is too small to be projected, and a vector.
    let layout = try! TreeLayout([("bias", [5]), ("small", [3, 9]), ("tall", [12, 7]), ("wide", [6, 20])])

    func transform(rank: Int = 4, seed: UInt64 = 1) throws -> LowRankTransform {
        let optimizer = try LowRankProjection(sgd(learningRate: 1), rank: rank, seed: seed)
        let state = try optimizer.initialState(for: ParameterVector(zeros: layout))
        return try optimizer.preClippingTransform(for: state, layout: layout)
    }

    func random(_ layout: TreeLayout, seed: UInt64 = 9) -> ParameterVector {
        var noise = GaussianNoise(nonPrivateSeed: seed)
        var vector = ParameterVector(zeros: layout)
        vector.withMutableSpan { noise.fill(&$0) }
        return vector
    }

    func image(_ vector: ParameterVector, _ transform: some GeneralTransform) -> ParameterVector {
        var result = ParameterVector(zeros: transform.transformedLayout)
        vector.withSpan { rows in result.withMutableSpan { transform.transform(rows, into: &$0) } }
        return result
    }

    func difference(_ left: ParameterVector, _ right: ParameterVector) -> Float {
        zip(left.values, right.values).map { abs($0 - $1) }.max()!
    }

    @Test func transformedSpaceIsSmaller() throws {
        let transform = try transform()
        #expect(transform.transformedLayout.leaves.map(\.shape) == [[5], [3, 9], [4, 7], [6, 4]])
        #expect(transform.transformedLayout.count < layout.count)
    }

    /// Sums of at most 20 products of normals, twice: 2·20·2⁻²⁴ times some 4² is below 2⁻¹⁵.
    @Test func inverseUndoesTransformOnTheSpan() throws {
        let transform = try transform()
        let inSpan = transform.inverse(random(transform.transformedLayout))
        #expect(difference(transform.inverse(image(inSpan, transform)), inSpan) < 0x1p-15)
        // Outside the span it is a projection, and with other bases another one.
        let outside = random(layout)
        #expect(difference(transform.inverse(image(outside, transform)), outside) > 0.1)
        let other = try self.transform(seed: 2)
        #expect(difference(other.inverse(image(inSpan, transform)), inSpan) > 0.1)
    }

    @Test func basesAreOrthonormal() throws {
        let bases = try transform().bases
        for leaf in bases.layout.leaves {
            let q = Matrix(rows: leaf.shape[0], columns: leaf.shape[1], elements: Array(bases.values[leaf.range]))
            var product = Matrix(rows: 4, columns: 4)
            BLAS.gemm(q, .transposed, q, .none, into: &product)
            for row in 0..<4 {
                for column in 0..<4 { #expect(abs(product[row, column] - (row == column ? 1 : 0)) < 0x1p-19) }
            }
        }
    }

    /// Neighbours differ by one clipped example in the transformed space, of norm C at most.
    @Test func neighboursDifferByTheSensitivity() throws {
        let transform = try transform()
        let matrix = Matrix(
            rows: 40, columns: layout.count,
            elements: (0..<40).flatMap { random(layout, seed: 100 + $0).values })
        let rows = try DenseRows(matrix, layout: layout)
        func sum(without example: Int?, clipNorm: Double) throws -> ParameterVector {
            var aggregate = try ClippedAggregate(.flat(l2ClipNorm: clipNorm), transform: transform, noiseMultiplier: 0)
            aggregate.add(rows, padding: (0..<40).map { $0 == example })
            var noise = Noise(.discreteGaussian, nonPrivateSeed: 0)
            return try aggregate.noised(noise: &noise).vector
        }
        func distance(clipNorm: Double, example: Int) throws -> Double {
            let whole = try sum(without: nil, clipNorm: clipNorm)
            let neighbour = try sum(without: example, clipNorm: clipNorm)
            return zip(whole.values, neighbour.values).map { pow(Double($0) - Double($1), 2) }.reduce(0, +).squareRoot()
        }
        for example in [0, 17, 39] {
            // The two sums are rounded to Float32: 2·2⁻²³ of elements of at most 40, times √160.
            #expect(try distance(clipNorm: 1.5, example: example) <= 1.5 + 1e-4)
            #expect(try distance(clipNorm: .infinity, example: example) > 1.5 + 1e-4)
        }
    }

    @Test func refreshDependsOnSeedAndStepOnly() throws {
        func bases(after steps: Int, gradientSeed: UInt64, refreshEvery: Int?) throws -> ParameterVector {
            let optimizer = try LowRankProjection(
                sgd(learningRate: 1), rank: 4, refreshEvery: refreshEvery, seed: 1)
            var parameters = ParameterVector(zeros: layout)
            var state = try optimizer.initialState(for: parameters)
            for _ in 0..<steps {
                let transform = try optimizer.preClippingTransform(for: state, layout: layout)
                try optimizer.step(
                    onTransformed: random(transform.transformedLayout, seed: gradientSeed), state: &state,
                    parameters: &parameters)
            }
            return state.bases
        }
        let refreshed = try bases(after: 3, gradientSeed: 1, refreshEvery: 2)
        #expect(try bases(after: 2, gradientSeed: 2, refreshEvery: 2) == refreshed)
        #expect(try bases(after: 1, gradientSeed: 1, refreshEvery: 2) != refreshed)
        #expect(try bases(after: 3, gradientSeed: 1, refreshEvery: nil) != refreshed)
    }

    @Test func trainingConverges() throws {
        let problem = LeastSquares(examples: 30, inputs: 8, outputs: 6)
        let start = problem.loss(at: ParameterVector(zeros: problem.layout))
        let refreshed = try LowRankProjection(sgd(learningRate: 0.3), rank: 2, refreshEvery: 1, seed: 5)
        #expect(try problem.loss(after: 250, of: refreshed, l2ClipNorm: 1e3, noiseMultiplier: 0) < 1e-2 * start)
        // Two directions of eight are not enough when they never change.
        let fixed = try LowRankProjection(sgd(learningRate: 0.3), rank: 2, seed: 5)
        #expect(try problem.loss(after: 250, of: fixed, l2ClipNorm: 1e3, noiseMultiplier: 0) > 1e-2 * start)
    }

    @Test func badRanksAreNamed() throws {
        let base = try sgd(learningRate: 1)
        #expect(
            throws: GradientTransformationError.invalidHyperparameter(
                name: "rank", value: 0, allowed: "at least 1")
        ) { try LowRankProjection(base, rank: 0, seed: 1) }
        #expect(
            throws: GradientTransformationError.invalidHyperparameter(
                name: "refreshEvery", value: 0, allowed: "at least 1")
        ) { try LowRankProjection(base, rank: 1, refreshEvery: 0, seed: 1) }
        let tooLarge = try LowRankProjection(base, rank: 7, seed: 1)
        let error = #expect(throws: GradientTransformationError.self) {
            try tooLarge.initialState(for: ParameterVector(zeros: layout))
        }
        #expect(error?.description.contains("below 7") == true)
        let vectors = ParameterVector(zeros: try TreeLayout([("bias", [5])]))
        #expect(throws: GradientTransformationError.self) {
            try LowRankProjection(base, rank: 1, seed: 1).initialState(for: vectors)
        }
        _ = try LowRankProjection(base, rank: 6, seed: 1).initialState(for: ParameterVector(zeros: layout))
    }
}
