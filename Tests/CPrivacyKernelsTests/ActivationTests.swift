import CPrivacyKernels
import Foundation
import Testing

@Suite struct ActivationTests {
    private typealias Apply = (_ bias: UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void

    private static func kernels(_ level: Level) -> dpk_activations { level.kernels.activations.pointee }

    /// Every exponent, both signs, and the ends of the ranges.
    private static let inputs: [Float] = {
        var generator = SeededGenerator(seed: 1)
        let special: [Float] = [0, -0.0, .leastNonzeroMagnitude, 87, -87, 1e30, -1e30, .infinity, -.infinity]
        return special + (0..<40_000).map { _ in generator.float(exponents: -30...5) }
    }()

    private static func outputs(_ apply: Apply) -> [Float] {
        var values = inputs
        let zeros = [Float](repeating: 0, count: values.count)
        apply(zeros, values.count, &values)
        return values
    }

    private static func tanh(_ level: Level) -> [Float] {
        outputs { bias, count, values in kernels(level).tanh(bias, 1, count, count, values) }
    }

    private static func sigmoid(_ level: Level) -> [Float] {
        let plain = dpk_sigmoid(scale: 1, temperature: 1, offset: 0)
        return outputs { bias, count, values in kernels(level).tempered_sigmoid(plain, bias, 1, count, count, values) }
    }

    /// Outputs more than 4 units in the last place of the exact value away from it.
    private static func failures(_ outputs: [Float], exact: (Double) -> Double) -> Int {
        zip(inputs, outputs).count { input, output in
            let exact = exact(Double(input))
            return !(abs(Double(output) - exact) <= 4 * Double(Float(exact).ulp))
        }
    }

    @Test(arguments: Level.available)
    func tanhIsExactToFourUnits(level: Level) {
        #expect(Self.failures(Self.tanh(level)) { Foundation.tanh($0) } == 0)
    }

    @Test(arguments: Level.available)
    func sigmoidIsExactToFourUnits(level: Level) {
        #expect(Self.failures(Self.sigmoid(level)) { 1 / (1 + exp(-max(-87, min(87, $0)))) } == 0)
    }

    /// Control: the textbook formula in Float32, which loses what is small.
    @Test func fourUnitsRejectTheTextbookTanh() {
        let naive = Self.inputs.map { 1 - 2 / (1 + exp(2 * max(-40, min(40, $0)))) }
        #expect(Self.failures(naive) { Foundation.tanh($0) } > 10_000)
    }

    @Test(arguments: Level.available)
    func geluAndItsDerivativeAreWithinTheirBound(level: Level) {
        var derivatives = [Float](repeating: 0, count: Self.inputs.count)
        let values = Self.outputs { bias, count, values in
            Self.kernels(level).gelu(bias, 1, count, count, values, &derivatives)
        }
        let c = (2 / Double.pi).squareRoot()
        for (index, input) in Self.inputs.enumerated() where input.isFinite {
            let x = Double(input)
            let tangent = Foundation.tanh(c * (x + 0.044715 * x * x * x))
            let slope = abs(x) > 20 ? 0 : 0.5 * x * (1 - tangent * tangent) * c * (1 + 3 * 0.044715 * x * x)
            // An error of 3 units in u moves σ(2u) by at most 6·u·σ·(1 − σ) ≤ 1.4 units, the derivative by less than 8;
            // the products add fewer than 8 units of numbers up to max(1, |x|).
            let tolerance = 16 * 0x1p-24 * max(1, abs(x))
            #expect(abs(Double(values[index]) - x * (1 + tangent) / 2) <= tolerance)
            #expect(abs(Double(derivatives[index]) - ((1 + tangent) / 2 + slope)) <= tolerance)
        }
    }

    /// Each kernel on rows of all short lengths, between fences, with gaps between rows that must stay as they are.
    private static func everyKernel(_ level: Level) -> [UInt32] {
        let kernels = kernels(level)
        let k = dpk_sigmoid(scale: 1.5, temperature: 2, offset: 0.25)
        var result: [UInt32] = []
        for count in 1...18 {
            let (rows, stride) = (3, count + 2)
            var generator = SeededGenerator(seed: UInt64(count))
            let block = {
                FencedBuffer((0..<(rows - 1) * stride + count).map { _ in Float.random(in: -3...3, using: &generator) })
            }
            let bias = FencedBuffer((0..<count).map { _ in Float.random(in: -1...1, using: &generator) })
            let outputs = block()
            let runs: [(UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void] = [
                { values, _ in kernels.identity(bias.base, rows, count, stride, values) },
                { values, _ in kernels.relu(bias.base, rows, count, stride, values) },
                { values, _ in kernels.tanh(bias.base, rows, count, stride, values) },
                { values, _ in kernels.tempered_sigmoid(k, bias.base, rows, count, stride, values) },
                { values, other in kernels.gelu(bias.base, rows, count, stride, values, other) },
                { values, _ in kernels.relu_backward(outputs.base, rows, count, stride, values) },
                { values, _ in kernels.tanh_backward(outputs.base, rows, count, stride, values) },
                { values, _ in kernels.tempered_sigmoid_backward(k, outputs.base, rows, count, stride, values) },
                { values, _ in kernels.multiply(outputs.base, rows, count, stride, values) },
                { values, rest in kernels.give_to_maximum(bias.base, bias.base, count, rest, values) },
                { values, rest in kernels.give_to_maximum(outputs.base, bias.base, count, rest, values) },
            ]
            for run in runs {
                let (values, other) = (block(), block())
                let before = values.elements
                run(values.base, other.base)
                let gaps = values.elements.indices.filter { $0 % stride >= count }
                #expect(gaps.allSatisfy { values.elements[$0].bitPattern == before[$0].bitPattern })
                result += values.elements.bits + other.elements.bits
            }
            withExtendedLifetime((bias, outputs)) {}
        }
        return result
    }

    @Test(arguments: Level.available)
    func allLevelsGiveTheSameBits(level: Level) {
        #expect(Self.everyKernel(level) == Self.everyKernel(.portable))
        #expect(Self.tanh(level).bits == Self.tanh(.portable).bits)
        #expect(Self.sigmoid(level).bits == Self.sigmoid(.portable).bits)
    }

    @Test(arguments: Level.available)
    func biasIsAddedFirstAndDerivativesFollowOutputs(level: Level) {
        let kernels = Self.kernels(level)
        let bias: [Float] = [1, -1]
        var values: [Float] = [-2, 3, 0.5, 0.5]
        kernels.relu(bias, 2, 2, 2, &values)
        #expect(values == [0, 2, 1.5, 0])
        var errors: [Float] = [5, 6, 7, 8]
        kernels.relu_backward(values, 2, 2, 2, &errors)
        #expect(errors == [0, 6, 7, 0])
        kernels.tanh_backward([0, 0.5, 1, -0.5], 1, 4, 4, &errors)
        #expect(errors == [0, 4.5, 0, 0])
        var one: [Float] = [1, 1]
        // σ = ½ has the derivative ¼ · temperature · scale; at the ends it is 0.
        kernels.tempered_sigmoid_backward(dpk_sigmoid(scale: 2, temperature: 3, offset: 1), [0, 1], 1, 2, 2, &one)
        #expect(one == [1.5, 0])
    }

    @Test(arguments: Level.available)
    func anErrorGoesToTheFirstInputThatReachesTheMaximum(level: Level) {
        let kernels = Self.kernels(level)
        var rest: [Float] = [1, 2, 3]
        let maxima: [Float] = [5, 6, 7]
        var errors: [[Float]] = [[10, 10, 10], [10, 10, 10], [10, 10, 10]]
        for (index, inputs) in ([[5, 1, 1], [5, 6, 2], [4, 6, 3]] as [[Float]]).enumerated() {
            kernels.give_to_maximum(inputs, maxima, 3, &rest, &errors[index])
        }
        #expect(errors == [[11, 10, 10], [10, 12, 10], [10, 10, 10]])
        #expect(rest == [0, 0, 3])
    }

    @Test(arguments: Level.available)
    func notANumberStaysOne(level: Level) {
        let kernels = Self.kernels(level)
        let k = dpk_sigmoid(scale: 1, temperature: 1, offset: 0)
        let runs: [(UnsafeMutablePointer<Float>) -> Void] = [
            { kernels.identity([0], 1, 1, 1, $0) }, { kernels.relu([0], 1, 1, 1, $0) },
            { kernels.tanh([0], 1, 1, 1, $0) }, { kernels.tempered_sigmoid(k, [0], 1, 1, 1, $0) },
            { values in
                var derivative: Float = 0
                kernels.gelu([0], 1, 1, 1, values, &derivative)
                #expect(derivative.isNaN)
            },
        ]
        for run in runs {
            var value = Float.nan
            run(&value)
            #expect(value.isNaN)
        }
    }
}
