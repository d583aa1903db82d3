import CPrivacyKernels
import Foundation
import Testing

@Suite struct NormalizationTests {
    private static func kernels(_ level: Level) -> dpk_normalizations { level.kernels.normalizations.pointee }

    private static func numbers(_ count: Int, seed: UInt64 = 1, in range: ClosedRange<Float> = -3...3) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return generator.floats(count, in: range)
    }

    @Test(arguments: Level.available)
    func exponentialsAreExactToFourUnits(level: Level) {
        let inputs = Self.numbers(20_000, in: -87...0) + [0, -0.0, -1e-30, -87, -87.5, -1e30, -.infinity]
        var outputs = inputs
        let sum = Self.kernels(level).exponentials(inputs, 0, inputs.count, &outputs)
        for (input, output) in zip(inputs, outputs) {
            let exact = input < -87 ? 0 : exp(Double(input))
            #expect(abs(Double(output) - exact) <= 4 * Double(Float(exact).ulp), "exp(\(input))")
        }
        // Sums of eight lanes: at most n/8 + 3 roundings.
        let exact = outputs.reduce(0.0) { $0 + Double($1) }
        #expect(abs(Double(sum) - exact) <= Double(inputs.count / 8 + 3) * 0x1p-24 * exact)
        #expect(Self.kernels(level).sum(outputs, outputs.count) == sum)
    }

    @Test(arguments: Level.available, 1...18)
    func softmaxIsWhatItsDefinitionSays(level: Level, count: Int) {
        let mask: [Float] = (0..<count).map { $0 % 3 == 1 ? -.infinity : 0 }
        let scores = Self.numbers(2 * count, seed: UInt64(count), in: -20...20)
        let probabilities = FencedBuffer(scores)
        Self.kernels(level).softmax(0.5, mask, 2, count, count, probabilities.base)
        let errors = Self.numbers(2 * count, seed: 99)
        let gradients = FencedBuffer(errors)
        Self.kernels(level).softmax_backward(probabilities.base, 0.5, 2, count, count, gradients.base)
        for row in 0..<2 {
            let all = (0..<count).map { row * count + $0 }
            let weights = all.map { mask[$0 % count] == 0 ? exp(0.5 * Double(scores[$0])) : 0 }
            let p = weights.map { $0 / weights.reduce(0, +) }
            let mean = zip(p, all).reduce(0) { $0 + $1.0 * Double(errors[$1.1]) }
            for (index, place) in zip(0..., all) {
                // Scores up to 10 are off by half a unit, 2⁻²¹, which moves an exponential by as much.
                #expect(abs(Double(probabilities.elements[place]) - p[index]) <= 32 * 0x1p-24 * p[index])
                let exact = 0.5 * p[index] * (Double(errors[place]) - mean)
                #expect(abs(Double(gradients.elements[place]) - exact) <= 256 * 0x1p-24 * p[index] + 1e-38)
            }
        }
    }

    @Test(arguments: Level.available)
    func softmaxOfNothingIsZeroAndNaNStays(level: Level) {
        var values: [Float] = [1, 2, 3]
        let nothing = [Float](repeating: -.infinity, count: 3)
        Self.kernels(level).softmax(1, nothing, 1, 3, 3, &values)
        #expect(values == [0, 0, 0])
        for place in 0..<10 {
            var values = Self.numbers(10)
            values[place] = .nan
            Self.kernels(level).softmax(1, [Float](repeating: 0, count: 10), 1, 10, 10, &values)
            #expect(values.allSatisfy { $0.isNaN })
        }
        var wide: [Float] = [1e30, -1e30, 1e30, -.infinity]
        Self.kernels(level).softmax(1, [0, 0, 0, 0], 1, 4, 4, &wide)
        #expect(wide == [0.5, 0, 0.5, 0])
    }

    /// x̂ in Float64.
    private static func normalized(_ row: ArraySlice<Float>, _ norm: dpk_row_norm) -> (x: [Double], factor: Double) {
        let row = row.map(Double.init)
        let mean = norm.centers != 0 ? row.reduce(0, +) / Double(row.count) : 0
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
        let factor = 1 / (variance + Double(norm.epsilon)).squareRoot()
        return (row.map { ($0 - mean) * factor }, factor)
    }

    @Test(arguments: Level.available, 1...18)
    func rowsAreNormalisedAndTheWayBackIsItsDerivative(level: Level, count: Int) {
        for centers in [Int32(0), 1] {
            let norm = dpk_row_norm(centers: centers, epsilon: 1e-3)
            let (inputs, gain) = (Self.numbers(2 * count), Self.numbers(count, seed: 2))
            let (bias, errors) = (Self.numbers(count, seed: 3), Self.numbers(2 * count, seed: 4))
            let outputs = FencedBuffer([Float](repeating: 0, count: 2 * count))
            let gradients = FencedBuffer([Float](repeating: 0, count: 2 * count))
            let gains = FencedBuffer([Float](repeating: 1, count: count))
            Self.kernels(level).normalize(norm, gain, bias, inputs, 2, count, outputs.base)
            Self.kernels(level).normalize_backward(
                norm, gain, inputs, errors, 2, count, gradients.base, gains.base)
            var exactGains = [Double](repeating: 1, count: count)
            for row in 0..<2 {
                let (x, factor) = Self.normalized(inputs[row * count..<(row + 1) * count], norm)
                let g = (0..<count).map { Double(gain[$0]) * Double(errors[row * count + $0]) }
                let mean = centers == 0 ? 0 : g.reduce(0, +) / Double(count)
                let product = zip(g, x).reduce(0) { $0 + $1.0 * $1.1 } / Double(count)
                for index in 0..<count {
                    exactGains[index] += x[index] * Double(errors[row * count + index])
                    let exact = x[index] * Double(gain[index]) + Double(bias[index])
                    // Some 20 roundings of numbers up to 3·√18; those of x − mean are multiplied by up to 1/√ε.
                    let tolerance = 40 * 0x1p-24 * (1 + 9 * factor)
                    #expect(abs(Double(outputs.elements[row * count + index]) - exact) <= tolerance)
                    let back = factor * (g[index] - mean - x[index] * product)
                    #expect(
                        abs(Double(gradients.elements[row * count + index]) - back) <= 40 * tolerance * (1 + factor))
                }
            }
            for index in 0..<count {
                #expect(abs(Double(gains.elements[index]) - exactGains[index]) <= 1e-4 * (1 + abs(exactGains[index])))
            }
        }
    }

    private static func everyKernel(_ level: Level) -> [UInt32] {
        let kernels = kernels(level)
        var result: [UInt32] = []
        for count in 1...18 {
            let (gain, values) = (numbers(count, seed: 7), numbers(3 * count))
            var (outputs, gradients, gains) = (values, values, gain)
            let norm = dpk_row_norm(centers: Int32(count % 2), epsilon: 1e-5)
            kernels.normalize(norm, gain, gain, values, 3, count, &outputs)
            kernels.normalize_backward(norm, gain, values, outputs, 3, count, &gradients, &gains)
            result += outputs.bits + gradients.bits + gains.bits
            kernels.softmax(0.3, gain, 3, count, count, &outputs)
            kernels.softmax_backward(outputs, 0.3, 3, count, count, &gradients)
            result += outputs.bits + gradients.bits
            result.append(kernels.exponentials(values, 3, values.count, &outputs).bitPattern)
            result += outputs.bits + [kernels.sum(values, values.count).bitPattern]
        }
        return result
    }

    @Test(arguments: Level.available)
    func allLevelsGiveTheSameBits(level: Level) {
        #expect(Self.everyKernel(level) == Self.everyKernel(.portable))
    }
}
