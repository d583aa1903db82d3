import Foundation
import PrivateTraining

/// What a run takes where its configuration leaves something open, chosen from public numbers alone: how many examples,
/// features and classes there are, and the plan.
///
/// - **Model**: linear, logistic or softmax, as the targets ask for. Few parameters drown in less noise.
/// - **Features**: scattering (arXiv 2011.11660) for images that are large enough, which is fixed and not learned.
/// - **Clip norm** C = 1: with nearly every gradient clipped, only the product of rate and C matters.
/// - **Batch**: a quarter of the examples (or users), at most 16,384: of batches that cost the same ε, large ones have
///   less noise.
/// - **Sampling**: Poisson; for correlated noise as ``CorrelatedSampling`` says.
/// - **Steps**: 150.
/// - **Optimizer**: SGD with momentum 0.9, and the mean of the last half of the steps.
/// - **Rate**: C·η/(1 − momentum) = min(50, 2/s) for the length s = z·√d/N of the noise on a mean of clipped gradients
///   in units of C, or of independent noise that adds up to as much as correlated noise does: noise then moves the
///   parameters as far in every run. Adaptive optimizers, whose updates are about
///   as long as the rate in every coordinate, take min(0.1, 0.03/s). Where numbers are predicted, gradients grow with
///   the error, and SGD takes 1/√(1 + features) at most: its steps would otherwise overshoot.
///
/// **Guarantee:** no choice depends on what the examples hold, but for the number of parameters where a schema's open
/// categories were taken from the data, which the report says is not covered.
struct TrainingDefaults {
    /// What the plan is for.
    var exampleCount: Int
    /// The number of users; nil where each example is protected by itself.
    let userCount: Int?
    /// Nil where numbers are to be predicted.
    let classCount: Int?
    /// Nil where examples are no images.
    let imageShape: [Int]?
    /// What was chosen so far.
    private(set) var choices: [Choice] = []

    /// Something that was chosen.
    struct Choice: Equatable {
        let name: String
        let value: String
        let reason: String
    }

    /// Images of fewer rows or columns have too little left after two layers of scattering.
    private static let smallestImage = 16

    init(exampleCount: Int, userCount: Int? = nil, classCount: Int?, imageShape: [Int]?) {
        self.exampleCount = exampleCount
        self.userCount = userCount
        self.classCount = classCount
        self.imageShape = imageShape
    }

    /// Chooses features and model where `configuration` leaves them open.
    mutating func chooseModel(of configuration: inout TrainingConfiguration) {
        guard configuration.model == nil, configuration.architecture == nil else { return }
        if configuration.features == nil, let shape = imageShape, shape.allSatisfy({ $0 >= Self.smallestImage }),
            let map = try? ScatteringFeatures(height: shape[0], width: shape[1])
        {
            configuration.features = .scattering(map)
            choose("features", "scattering", "images of \(shape[0]) × \(shape[1])")
        }
        switch classCount {
        case nil: configuration.model = "linear"
        case 2: configuration.model = "logistic"
        default: configuration.model = "softmax"
        }
        choose("model", configuration.model ?? "", classCount.map { "\($0) classes" } ?? "numbers to predict")
    }

    /// Chooses how steps look, where `configuration` leaves it open.
    mutating func choosePlan(of configuration: inout TrainingConfiguration) {
        if configuration.plan.sampling == nil, configuration.plan.expectedBatchSize == nil {
            let batch = min(16_384, max(1, (Double(userCount ?? exampleCount) / 4).rounded()))
            configuration.plan.expectedBatchSize = batch
            choose(
                "batch", "\(Int(batch))", "a quarter of the \(userCount == nil ? "examples" : "users"), at most 16,384")
        }
        chooseSampling(of: &configuration)
        if configuration.plan.iterations == nil, configuration.plan.epochs == nil {
            configuration.plan.iterations = 150
            choose("steps", "150", "more would add more noise than progress")
        }
        if configuration.plan.clipping == nil {
            configuration.plan.clipping = .flat(l2ClipNorm: 1)
            choose("clip norm", "1", "only its product with the rate matters")
        }
        if configuration.averaging == nil {
            configuration.averaging = .tail(fraction: 0.5)
            choose("averaging", "the last half of the steps", "it takes noise away, and costs no privacy")
        }
    }

    /// Chooses who takes part where noise is correlated; of users it is the base of their sampling, which is made where
    /// they are known.
    private mutating func chooseSampling(of configuration: inout TrainingConfiguration) {
        guard configuration.plan.sampling == nil,
            let choice = CorrelatedSampling(
                for: configuration.plan.noise, unitCount: userCount ?? exampleCount,
                expectedBatchSize: configuration.plan.expectedBatchSize)
        else { return }
        choose("sampling", choice.text, choice.reason)
        if userCount == nil {
            configuration.plan.sampling = choice.scheme
            configuration.plan.expectedBatchSize = nil
        }
    }

    /// Chooses the optimizer and its rate where `configuration` leaves them open, for the noise of `plan` on
    /// `parameterCount` parameters of a model of `featureCount` features.
    mutating func chooseOptimizer(
        of configuration: inout TrainingConfiguration, for plan: PrivacyPlan, featureCount: Int, parameterCount: Int
    ) {
        var optimizer = configuration.optimizer ?? OptimizerConfiguration(name: .sgd)
        if configuration.optimizer == nil {
            optimizer.hyperparameters.momentum = 0.9
            choose(
                "optimizer", "sgd, momentum 0.9", "its updates are as long as their gradients, and noise stays noise")
        }
        if optimizer.learningRate == nil {
            let bound = plan.initialClippingRule.sensitivity(for: .addOrRemoveOne) * plan.normalizeBy
            let noise =
                plan.noiseToSignalRatio(parameterCount: parameterCount) * Double(max(1, plan.iterations)).squareRoot()
            let rate: Double
            if optimizer.name == .sgd {
                let unit = bound.isFinite && bound > 0 ? bound : 1
                let allowed = min(50, 2 / noise) * (1 - (optimizer.hyperparameters.momentum ?? 0)) / unit
                rate = classCount == nil ? min(allowed, 1 / Double(1 + featureCount).squareRoot()) : allowed
            } else {
                rate = min(0.1, 0.03 / noise)
            }
            let rounded = Double(String(format: "%.2g", rate)) ?? rate
            optimizer.learningRate = RateConfiguration(rounded)
            choose(
                "rate", String(format: "%g", rounded),
                "the noise on a mean is \(plan.noise.correlation == nil ? "" : "like independent noise ")"
                    + "\(String(format: "%.2g", noise)) times as long as the longest gradient")
        }
        configuration.optimizer = optimizer
    }

    private mutating func choose(_ name: String, _ value: String, _ reason: String) {
        choices.append(Choice(name: name, value: value, reason: reason))
    }
}
