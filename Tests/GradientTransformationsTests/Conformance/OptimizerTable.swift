import GradientTransformations
import PrivateOptimization
import PyTrees
import Testing

/// One optimizer of the table that every conformance check runs over.
struct OptimizerEntry: Sendable, CustomTestStringConvertible {
    let name: String
    /// The largest update that a zero gradient may cause on the first step; 0 for most.
    var zeroGradientBound: Float = 0
    /// Makes the optimizer with learning rates that sink from `rate` to 0 over `steps`, its state beside it.
    let make: @Sendable (_ parameters: ParameterVector, _ steps: Int) throws -> any OptimizerUnderTest

    var testDescription: String { name }
}

extension OptimizerEntry {
    static func rate(_ peak: Double, _ steps: Int) throws -> CosineSchedule {
        try CosineSchedule(from: peak, steps: steps)
    }

    /// All leaves but `b`.
    static func mask(_ parameters: ParameterVector) -> TreeMask {
        let layout = parameters.layout
        return TreeMask(layout: layout) { $0.path != "b" }
    }

    /// Every optimizer that has a name, and others.
    static let table = named + others

    private static let named = NamedOptimizer.table.map { named in
        // Yogi's moments start above zero.
        OptimizerEntry(name: named.name, zeroGradientBound: named.name == "yogi" ? 1e-3 : 0) { parameters, steps in
            var own = OptimizerHyperparameters()
            if named.hyperparameters.contains(.weightDecay) { own.weightDecay = 0 }
            return try running(named.optimizer(rate: .cosine(rate(named.testRate, steps)), own), parameters)
        }
    }

    private static func running(
        _ optimizer: some GradientTransformation, _ parameters: ParameterVector
    ) throws -> any OptimizerUnderTest {
        try Running(optimizer, parameters)
    }

    private static let others: [OptimizerEntry] = [
        OptimizerEntry(name: "momentum") { try Running(sgd(learningRate: rate(0.0005, $1), momentum: 0.9), $0) },
        OptimizerEntry(name: "nesterov") {
            try Running(sgd(learningRate: rate(0.0005, $1), momentum: 0.9, nesterov: true), $0)
        },
        OptimizerEntry(name: "rmsprop with momentum") {
            try Running(rmsprop(learningRate: rate(0.002, $1), momentum: 0.9), $0)
        },
        OptimizerEntry(name: "factored adafactor") {
            try Running(adafactor(learningRate: rate(0.02, $1), minimumFactoredSide: 2), $0)
        },
        OptimizerEntry(name: "factored adafactor with momentum") {
            try Running(adafactor(learningRate: rate(0.02, $1), minimumFactoredSide: 2, momentum: 0.9), $0)
        },
        OptimizerEntry(name: "centered rmsprop") { try Running(centeredRmsprop(learningRate: rate(0.01, $1)), $0) },
        OptimizerEntry(name: "adamBC") {
            try Running(adamBC(learningRate: rate(0.02, $1), noiseStandardDeviation: 1e-3), $0)
        },
        OptimizerEntry(name: "chain of clip, adam and schedule") { parameters, steps in
            try Running(
                chain {
                    try ClipByGlobalNorm(10)
                    try ScaleByAdam()
                    ScaleBySchedule(try rate(-0.02, steps))
                }, parameters)
        },
        OptimizerEntry(name: "low-pass filter and adam") { parameters, steps in
            try Running(
                chain {
                    try LowPassFilter(b: [0.25, 0.25], a: [-0.5])
                    try adam(learningRate: rate(0.02, steps))
                }, parameters)
        },
        OptimizerEntry(name: "second-order low-pass filter and sgd") { parameters, steps in
            try Running(
                chain {
                    try LowPassFilter(b: [0.2, 0.3, 0.1], a: [-0.5, 0.1])
                    try sgd(learningRate: rate(0.002, steps))
                }, parameters)
        },
        OptimizerEntry(name: "Kalman filter and adam") { parameters, steps in
            try Running(
                chain {
                    try KalmanFilter()
                    try adam(learningRate: rate(0.02, steps))
                }, parameters)
        },
        OptimizerEntry(name: "running mean, clipped values") { parameters, steps in
            try Running(
                chain {
                    try EMA(decay: 0.5)
                    try Clip(5)
                    try ScaleByLearningRate(rate(0.005, steps))
                }, parameters)
        },
        OptimizerEntry(name: "partition of adam and momentum") { parameters, steps in
            try Running(
                partition {
                    Masked(try adam(learningRate: rate(0.02, steps)), mask: mask(parameters))
                    Masked(
                        try sgd(learningRate: rate(0.0005, steps), momentum: 0.9), mask: mask(parameters).complement)
                }, parameters)
        },
        OptimizerEntry(name: "masked whole-vector links") { parameters, steps in
            try Running(
                chain {
                    Masked(try ClipByGlobalNorm(10), mask: mask(parameters))
                    try ScaleByAdam()
                    Masked(try ScaleByTrustRatio(), mask: mask(parameters))
                    try ScaleByLearningRate(rate(0.02, steps))
                }, parameters)
        },
        OptimizerEntry(name: "adam on finite gradients") {
            try Running(ApplyIfFinite(adam(learningRate: rate(0.02, $1)), maximumErrors: 3), $0)
        },
        OptimizerEntry(name: "adam over two gradients") {
            try Running(Accumulate(adam(learningRate: rate(0.02, $1 / 2)), steps: 2), $0)
        },
    ]
}
