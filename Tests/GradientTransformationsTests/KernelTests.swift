import CPrivacyKernels
import Foundation
import GradientTransformations
import LinearAlgebra
import PyTrees
import Testing

/// The kernels of all instruction sets, and the passes over blocks.
@Suite(.serialized) struct KernelTests {
    /// Every kernel gives the same bits on every instruction set, for every remainder of a vector.
    @Test func allLevelsAgree() throws {
        let portable = try #require(dpk_kernels_at(DPK_PORTABLE)).pointee.optimizers.pointee
        for level in [DPK_AVX2, DPK_AVX512] {
            guard let other = dpk_kernels_at(level)?.pointee.optimizers.pointee else { continue }
            for count in [0, 1, 7, 8, 9, 40, 61] {
                #expect(bits(of: portable, count) == bits(of: other, count))
            }
        }
    }

    private func bits(of kernels: dpk_optimizers, _ count: Int) -> [[UInt32]] {
        var generator = SeededGenerator(seed: UInt64(count))
        var result: [[UInt32]] = []
        let constants = dpk_constants(
            decay1: 0.9, gain1: 0.1, decay2: 0.99, gain2: 0.01, momentum: 1.5, gradient: 0.25, correction: 2,
            root: 1e-4, epsilon: 1e-3)
        func run(_ body: (_ u: Pointer, _ m: Pointer, _ v: Pointer, _ w: Pointer) -> Void) {
            // One element more in each vector than the kernel may touch, which must keep its value.
            let stride = count + 1
            var values = (0..<4 * stride).map { index in
                Float.random(in: index < stride ? -2...2 : 0...2, using: &generator)
            }
            let guards = (1...4).map { values[$0 * stride - 1] }
            values.withUnsafeMutableBufferPointer {
                let base = $0.baseAddress!
                body(base, base + stride, base + 2 * stride, base + 3 * stride)
            }
            #expect((1...4).map { values[$0 * stride - 1] } == guards)
            result.append(values.map(\.bitPattern))
        }
        withUnsafePointer(to: constants) { k in
            run { u, _, _, _ in kernels.scale(1.7, count, u) }
            run { u, m, _, _ in kernels.divide(m, count, u) }
            run { u, m, _, _ in kernels.divide_scaled(0.3, m, count, u) }
            run { u, m, _, _ in _ = kernels.inverse_root(0.1, 1e-4, 1e-3, count, m, u) }
            run { u, m, _, _ in kernels.add_scaled(-0.3, m, count, u) }
            run { u, _, _, _ in kernels.clip(0.7, count, u) }
            run { u, m, _, _ in kernels.accumulate(0.25, count, u, m) }
            run { u, m, _, _ in kernels.momentum(k, count, u, m) }
            run { u, m, _, _ in kernels.lion(k, count, u, m) }
            run { u, m, _, _ in kernels.rms(k, count, u, m) }
            run { u, m, v, _ in kernels.centered_rms(k, count, u, m, v) }
            run { u, m, v, _ in kernels.adam(k, count, u, m, v) }
            run { u, m, v, _ in kernels.belief(k, count, u, m, v) }
            run { u, m, v, _ in kernels.yogi(k, count, u, m, v) }
            run { u, m, v, _ in kernels.adam_corrected(k, count, u, m, v) }
            run { u, m, v, _ in kernels.adadelta(k, count, u, m, v) }
            run { u, m, v, w in kernels.amsgrad(k, count, u, m, v, w) }
            run { u, m, v, _ in kernels.filter(2, [0.2, 0.3, 0.1], [-0.5, 0.1], 1.1, 0, count, u, [m, v]) }
        }
        return result
    }

    /// The product of factor and divisor is rounded before the division: dividing twice, or by a product that is not
    /// rounded, gives other bits.
    @Test func aScaledDivisorIsRoundedFirst() throws {
        var generator = SeededGenerator(seed: 3)
        let divisors = (0..<61).map { _ in Float.random(in: 0.1...2, using: &generator) } + [0x1p-140, 1e38]
        let values = divisors.map { _ in Float.random(in: -2...2, using: &generator) }
        for level in [DPK_PORTABLE, DPK_AVX2, DPK_AVX512] {
            guard let kernels = dpk_kernels_at(level)?.pointee.optimizers.pointee else { continue }
            var found = values
            kernels.divide_scaled(0.7, divisors, values.count, &found)
            #expect(found == zip(values, divisors).map { $0 / (0.7 * $1) })
            #expect(found != zip(values, divisors).map { $0 / 0.7 / $1 })
            let roundedOnce = zip(values, divisors).map { (value: Float, divisor: Float) -> Float in
                let product: Double = Double(0.7 as Float) * Double(divisor)
                return Float(Double(value) / product)
            }
            #expect(found != roundedOnce)
        }
    }

    /// Exact squares, added in one order on every instruction set; no sum beyond the count is touched.
    @Test func squaresAreAddedInOneOrder() throws {
        for count in [0, 1, 7, 8, 9, 40, 61] {
            var generator = SeededGenerator(seed: UInt64(count))
            let values = (0..<count).map { _ in Float.random(in: -2...2, using: &generator) }
            var results: [[UInt64]] = []
            for level in [DPK_PORTABLE, DPK_AVX2, DPK_AVX512] {
                guard let kernels = dpk_kernels_at(level)?.pointee.optimizers.pointee else { continue }
                var sums = [Double](repeating: 0.1, count: count + 1)
                let total = kernels.add_squares(values, count, &sums)
                #expect(sums == values.map { 0.1 + Double($0) * Double($0) } + [0.1])
                let exact = values.reduce(0.0) { $0 + Double($1) * Double($1) }
                #expect(abs(total - exact) <= 61 * 0x1p-53 * exact)
                results.append(sums.map(\.bitPattern) + [total.bitPattern])
            }
            #expect(results.allSatisfy { $0 == results[0] })
        }
    }

    private typealias Pointer = UnsafeMutablePointer<Float>

    /// Whatever the place of the one bad moment, it shows; a plain sign test would let NaN and infinity pass.
    @Test(arguments: [Float.nan, .infinity, -1])
    func inverseRootsThatAreNotPositiveAndFiniteShow(bad: Float) throws {
        for level in [DPK_PORTABLE, DPK_AVX2, DPK_AVX512] {
            guard let kernels = dpk_kernels_at(level)?.pointee.optimizers.pointee else { continue }
            for count in [1, 8, 13] {
                var scale = [Float](repeating: 0, count: count)
                let good = [Float](repeating: 4, count: count)
                #expect(kernels.inverse_root(-.infinity, 0, 0.5, count, good, &scale) != 0)
                #expect(scale == [Float](repeating: 0.4, count: count))
                for place in 0..<count {
                    var moments = good
                    moments[place] = bad
                    // 1/(√∞ + ε) is 0, the roots of the others are NaN.
                    #expect(kernels.inverse_root(-.infinity, 0, 0.5, count, moments, &scale) == 0)
                }
                #expect(kernels.inverse_root(9, 0, 0.5, count, good, &scale) != 0)
                #expect(scale == [Float](repeating: 1 / 3.5, count: count))
            }
        }
    }

    @Test func notANumberStays() {
        let kernels = dpk_active_kernels().pointee.optimizers.pointee
        var values: [Float] = [.nan, 3, -3, .infinity, -.infinity, 0]
        kernels.clip(1, values.count, &values)
        #expect(values[0].isNaN && Array(values[1...]) == [1, -1, 1, -1, 0])
    }

    /// Many blocks, an odd length, masks that cut blocks in two: the same bits on one thread and on several.
    @Test func resultsDoNotDependOnThreads() throws {
        let layout = try TreeLayout([("a", [70_001]), ("b", [131]), ("c", [90_003])])
        var generator = SeededGenerator(seed: 1)
        let gradient = ParameterVector.random(layout: layout, using: &generator)
        let start = ParameterVector.random(layout: layout, using: &generator)
        let limit = Threads.limit
        defer { Threads.limit = limit }
        for entry in OptimizerEntry.table {
            var results: [[UInt32]] = []
            for threads in [1, 2, 3] {
                Threads.limit = threads
                var parameters = start
                let optimizer = try entry.make(start, 100)
                for _ in 0..<2 { optimizer.step(gradient, parameters: &parameters) }
                results.append(parameters.values.map(\.bitPattern))
            }
            #expect(results[0] == results[1] && results[0] == results[2], "\(entry.name)")
        }
    }

    /// Adam in Float64, by the formula. Roundings as in ``OptimizerReferenceTests``, without the corrections of optax:
    /// 4.5 t + 8, relative to an update without cancellation.
    @Test func adamWithinUlps() throws {
        var generator = SeededGenerator(seed: 2)
        let parameters = ParameterVector.random(using: &generator)
        let optimizer = try Running(ScaleByAdam(), parameters)
        var (m, v, size) = (
            [Double](repeating: 0, count: 15), [Double](repeating: 0, count: 15), [Double](repeating: 0, count: 15)
        )
        for step in 1...30 {
            let gradient = ParameterVector.random(using: &generator)
            let updates = optimizer.updated(gradient, parameters: parameters)
            for (index, value) in gradient.values.enumerated() {
                let g = Double(value)
                m[index] = 0.9 * m[index] + 0.1 * g
                size[index] = 0.9 * size[index] + 0.1 * abs(g)
                v[index] = 0.999 * v[index] + 0.001 * g * g
                let (c1, c2) = (1 - pow(0.9, Double(step)), 1 - pow(0.999, Double(step)))
                let divisor = (v[index] / c2).squareRoot() + 1e-8
                let error = (4.5 * Double(step) + 8) * 0x1p-24 * size[index] / c1 / divisor
                #expect(abs(Double(updates.values[index]) - m[index] / c1 / divisor) <= error)
            }
        }
    }
}
