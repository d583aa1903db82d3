import Foundation
import GradientTransformations
import PrivateOptimization
import PyTrees
import Testing

/// What the transformations made for private training are for, shown on noisy gradients of a known signal.
@Suite struct PrivateTrainingTests {
    /// 4096 elements of one standard normal each, from a fixed seed.
    private func normals(_ generator: inout SeededGenerator, _ layout: TreeLayout) -> ParameterVector {
        ParameterVector(zeros: layout).map { _ in
            let radius = (-2 * log(Double.random(in: 1e-300..<1, using: &generator))).squareRoot()
            return Float(radius * cos(2 * Double.pi * Double.random(in: 0..<1, using: &generator)))
        }
    }

    private let layout = {
        do {
            return try TreeLayout([("small", [4096]), ("large", [4096])])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// A gradient of 0.02 in one leaf and 0.4 in the other, under noise of σ = 0.2. Adam should make updates of one
    /// size of both; noise of ten times the small one keeps it from that, and the correction brings it back.
    ///
    /// Without the correction the ratio of their updates is that of 0.02 / √(0.02² + σ²) and 0.4 / √(0.4² + σ²), 0.11;
    /// means over 4096 elements leave a few percent for chance. With it, the floor of 0.02² gives the small one at most
    /// its true size.
    @Test func adamBCSeesTheSmallGradientBehindTheNoise() throws {
        let signal = ParameterVector(zeros: layout)
        var gradient = signal
        gradient["small"] = Tensor([Float](repeating: 0.02, count: 4096))
        gradient["large"] = Tensor([Float](repeating: 0.4, count: 4096))
        func ratio(_ optimizer: any OptimizerUnderTest) -> Float {
            var generator = SeededGenerator(seed: 7)
            var updates = signal
            for _ in 0..<300 {
                updates = normals(&generator, layout).map { 0.2 * $0 }
                updates = updates.adding(gradient)
                optimizer.update(&updates, parameters: signal)
            }
            let small = updates.values[..<4096].reduce(0, +) / 4096
            let large = updates.values[4096...].reduce(0, +) / 4096
            return small / large
        }
        let plain = ratio(try Running(adam(learningRate: 1, beta1: 0.99), signal))
        let corrected = ratio(
            try Running(adamBC(learningRate: 1, noiseStandardDeviation: 0.2, floor: 4e-4, beta1: 0.99), signal))
        #expect(plain < 0.13)
        #expect(corrected > 3 * plain)
    }

    /// A slow wave under white noise: what is left of the noise after the filter 0.05 (1 + B) / (1 − 0.9 B) is its
    /// noise gain, Σ h² = 0.05² (1 + 1.9² / (1 − 0.81)) = 0.05, a twentieth. 0.06 leaves 20 % for chance, over 4096
    /// elements; and a constant passes unchanged from the first step on.
    @Test func lowPassFilterDampsNoiseAndKeepsTheSignal() throws {
        let zeros = ParameterVector(zeros: layout)
        let filter = try Running(LowPassFilter(b: [0.05, 0.05], a: [-0.9]), zeros)
        var generator = SeededGenerator(seed: 8)
        var updates = zeros
        for _ in 0..<200 { updates = filter.updated(normals(&generator, layout), parameters: zeros) }
        let power = updates.values.reduce(0) { $0 + $1 * $1 } / Float(updates.count)
        #expect(power > 0.04 && power < 0.06)

        let constant = try Running(LowPassFilter(b: [0.05, 0.05], a: [-0.9]), zeros)
        for _ in 0..<50 {
            let passed = constant.updated(zeros.map { _ in 3 }, parameters: zeros)
            #expect(passed.values.allSatisfy { abs($0 - 3) <= 16 * Float(3).ulp })
        }
    }

    /// The filter against the equation, written out with its histories: at most four roundings for each of five terms,
    /// relative to terms without cancellation, which are below 2 for gradients in [-1, 1].
    @Test func lowPassFilterFollowsItsEquation() throws {
        let (b, a) = ([0.2, 0.3, 0.1], [-0.5, 0.1])
        var generator = SeededGenerator(seed: 9)
        let zeros = ParameterVector(zeros: ParameterVector.smallLayout)
        let filter = try Running(LowPassFilter(b: b, a: a), zeros)
        var inputs: [[Double]] = []
        var outputs: [[Double]] = []
        var units: [Double] = []
        for step in 0..<20 {
            let gradient = ParameterVector.random(using: &generator)
            inputs.insert(gradient.values.map(Double.init), at: 0)
            var unit = 0.0
            for (lag, weight) in b.enumerated() where lag <= step { unit += weight }
            for (lag, weight) in a.enumerated() where lag < units.count { unit -= weight * units[lag] }
            units.insert(unit, at: 0)
            let output = zeros.values.indices.map { index in
                var y = 0.0
                for (lag, weight) in b.enumerated() where lag < inputs.count { y += weight * inputs[lag][index] }
                for (lag, weight) in a.enumerated() where lag < outputs.count { y -= weight * outputs[lag][index] }
                return y
            }
            outputs.insert(output, at: 0)
            let updates = filter.updated(gradient, parameters: zeros)
            for (value, y) in zip(updates.values, output) {
                #expect(abs(Double(value) - y / unit) <= 20 * 2 * 0x1p-24 / unit)
            }
        }
    }

    /// A gradient that drifts under noise: the Kalman filter with look-ahead follows it without the lag of the running
    /// mean, and with less noise than the gradient itself.
    @Test func kalmanFilterFollowsADriftWithoutLag() throws {
        let zeros = ParameterVector(zeros: layout)
        let kalman = try KalmanFilter(gain: 0.2, reach: 1)
        let (predicting, lagging) = (try Running(kalman, zeros), try Running(kalman, zeros))
        var generator = SeededGenerator(seed: 10)
        // The gradient at step t is 0.05 t: at the point ahead, a step of the same size further, 0.05 (t + reach).
        let weight = Float(kalman.lookAheadWeight)
        var (predicted, lagged) = (zeros, zeros)
        for step in 0..<100 {
            let noise = normals(&generator, layout)
            let (here, ahead) = (0.05 * Float(step), 0.05 * Float(step + 1))
            predicted = predicting.updated(
                noise.map { weight * ahead + (1 - weight) * here + $0 }, parameters: zeros)
            lagged = lagging.updated(noise.map { here + $0 }, parameters: zeros)
        }
        let truth = 0.05 * Float(99)
        let mean = predicted.values.reduce(0, +) / Float(predicted.count)
        let laggedMean = lagged.values.reduce(0, +) / Float(lagged.count)
        // The mean of 8192 elements of variance κ / (2 − κ) = 1/9 has a standard deviation of 0.0037: five are allowed.
        #expect(abs(mean - truth) < 0.019)
        // A running mean lags (1 − κ) / κ = 4 steps.
        #expect(abs(laggedMean - (truth - 4 * 0.05)) < 0.019)
        let variance = predicted.values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(predicted.count)
        #expect(variance < 0.13)
    }

    @Test func lookAheadGoesOnInTheLastStep() throws {
        let layout = ParameterVector.smallLayout
        let point = try KalmanFilter(gain: 0.5, reach: 0.5).lookAhead(
            ParameterVector(repeating: 3, layout: layout), previous: ParameterVector(repeating: 1, layout: layout))
        #expect(point == ParameterVector(repeating: 4, layout: layout))
    }
}
