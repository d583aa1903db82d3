/// An optimizer with the name that configuration and tests know it by.
///
/// To add an optimizer, write its file, and a line in ``table``.
package struct NamedOptimizer: Sendable {
    /// optax's name.
    package let name: String

    /// The hyperparameters it has beside its learning rate. One that is not given has the optimizer's usual value.
    package let hyperparameters: Set<OptimizerHyperparameters.CodingKeys>

    /// A learning rate at which it minimises a simple function within some hundred steps: for the tests that all of
    /// them go through.
    package let testRate: Double

    /// How it is made: with a second moment that a scale can be made from, a factored one, or none.
    package let maker: Maker

    package enum Maker: Sendable {
        case plain(
            @Sendable (NamedSchedule, OptimizerHyperparameters) throws(GradientTransformationError)
                -> any GradientTransformation)
        case adaptive(
            @Sendable (NamedSchedule, OptimizerHyperparameters) throws(GradientTransformationError)
                -> any SecondMomentTransformation)
        case factored(
            @Sendable (NamedSchedule, OptimizerHyperparameters) throws(GradientTransformationError)
                -> any FactoredMomentTransformation)
    }

    private init(
        _ name: String, _ hyperparameters: Set<OptimizerHyperparameters.CodingKeys>, testRate: Double, _ maker: Maker
    ) {
        self.name = name
        self.hyperparameters = hyperparameters
        self.testRate = testRate
        self.maker = maker
    }

    /// Whether it has a second moment.
    package var isAdaptive: Bool { if case .plain = maker { false } else { true } }

    /// The optimizer under `rate`. Throws `invalidHyperparameter`.
    package func optimizer(
        rate: NamedSchedule, _ values: OptimizerHyperparameters = OptimizerHyperparameters()
    ) throws(GradientTransformationError) -> any GradientTransformation {
        switch maker {
        case .plain(let make): try make(rate, values)
        case .adaptive(let make): try make(rate, values)
        case .factored(let make): try make(rate, values)
        }
    }

    /// All of them, in the order in which they are listed for users.
    package static let table: [NamedOptimizer] = [
        NamedOptimizer(
            "sgd", [.momentum, .nesterov], testRate: 0.002,
            .plain { rate, own throws(GradientTransformationError) in
                guard let momentum = own.momentum else { return try sgd(learningRate: rate) }
                return try sgd(learningRate: rate, momentum: momentum, nesterov: own.nesterov ?? false)
            }),
        NamedOptimizer(
            "adam", [.beta1, .beta2, .epsilon], testRate: 0.02,
            .adaptive { rate, own throws(GradientTransformationError) in
                try adam(
                    learningRate: rate, beta1: own.beta1 ?? 0.9, beta2: own.beta2 ?? 0.999,
                    epsilon: own.epsilon ?? 1e-8)
            }),
        NamedOptimizer(
            "adamw", [.beta1, .beta2, .epsilon, .weightDecay, .nesterov], testRate: 0.02,
            .adaptive { rate, own throws(GradientTransformationError) in
                try adamw(
                    learningRate: rate, weightDecay: own.weightDecay ?? 1e-4, beta1: own.beta1 ?? 0.9,
                    beta2: own.beta2 ?? 0.999, epsilon: own.epsilon ?? 1e-8, nesterov: own.nesterov ?? false)
            }),
        NamedOptimizer(
            "nadam", [.beta1, .beta2, .epsilon], testRate: 0.02,
            .adaptive { rate, own throws(GradientTransformationError) in
                try nadam(
                    learningRate: rate, beta1: own.beta1 ?? 0.9, beta2: own.beta2 ?? 0.999,
                    epsilon: own.epsilon ?? 1e-8)
            }),
        NamedOptimizer(
            "amsgrad", [.beta1, .beta2, .epsilon], testRate: 0.02,
            .adaptive { rate, own throws(GradientTransformationError) in
                try amsgrad(
                    learningRate: rate, beta1: own.beta1 ?? 0.9, beta2: own.beta2 ?? 0.999,
                    epsilon: own.epsilon ?? 1e-8)
            }),
        NamedOptimizer(
            "rmsprop", [.decay, .epsilon, .momentum, .nesterov], testRate: 0.01,
            .adaptive { rate, own throws(GradientTransformationError) in
                let (decay, epsilon) = (own.decay ?? 0.9, own.epsilon ?? 1e-8)
                guard let momentum = own.momentum else {
                    return try rmsprop(learningRate: rate, decay: decay, epsilon: epsilon)
                }
                return try rmsprop(
                    learningRate: rate, decay: decay, epsilon: epsilon, momentum: momentum,
                    nesterov: own.nesterov ?? false)
            }),
        NamedOptimizer(
            "adagrad", [.epsilon], testRate: 0.5,
            .adaptive { rate, own throws(GradientTransformationError) in
                try adagrad(learningRate: rate, epsilon: own.epsilon ?? 1e-7)
            }),
        NamedOptimizer(
            "yogi", [.beta1, .beta2, .epsilon], testRate: 0.02,
            .adaptive { rate, own throws(GradientTransformationError) in
                try yogi(
                    learningRate: rate, beta1: own.beta1 ?? 0.9, beta2: own.beta2 ?? 0.999,
                    epsilon: own.epsilon ?? 1e-3)
            }),
        NamedOptimizer(
            "adadelta", [.decay, .epsilon], testRate: 3,
            .plain { rate, own throws(GradientTransformationError) in
                try adadelta(learningRate: rate, decay: own.decay ?? 0.9, epsilon: own.epsilon ?? 1e-6)
            }),
        NamedOptimizer(
            "adabelief", [.beta1, .beta2, .epsilon], testRate: 0.02,
            .plain { rate, own throws(GradientTransformationError) in
                try adabelief(
                    learningRate: rate, beta1: own.beta1 ?? 0.9, beta2: own.beta2 ?? 0.999,
                    epsilon: own.epsilon ?? 1e-16)
            }),
        NamedOptimizer(
            "lion", [.beta1, .beta2, .weightDecay], testRate: 0.01,
            .plain { rate, own throws(GradientTransformationError) in
                try lion(
                    learningRate: rate, beta1: own.beta1 ?? 0.9, beta2: own.beta2 ?? 0.99,
                    weightDecay: own.weightDecay ?? 1e-3)
            }),
        NamedOptimizer(
            "lamb", [.beta1, .beta2, .epsilon, .weightDecay], testRate: 0.02,
            .plain { rate, own throws(GradientTransformationError) in
                try lamb(
                    learningRate: rate, weightDecay: own.weightDecay ?? 0, beta1: own.beta1 ?? 0.9,
                    beta2: own.beta2 ?? 0.999, epsilon: own.epsilon ?? 1e-6)
            }),
        NamedOptimizer(
            "adafactor",
            [
                .decay, .epsilon, .momentum, .weightDecay, .minimumFactoredSide, .clippingThreshold,
                .multiplyByParameterScale,
            ], testRate: 0.02,
            .factored { rate, own throws(GradientTransformationError) in
                let (side, decay, epsilon) = (
                    own.minimumFactoredSide ?? 128, own.decay ?? 0.8, own.epsilon ?? 1e-30
                )
                let (threshold, isRelative) = (own.clippingThreshold ?? 1, own.multiplyByParameterScale ?? true)
                guard let momentum = own.momentum else {
                    return try adafactor(
                        learningRate: rate, minimumFactoredSide: side, decayExponent: decay,
                        clippingThreshold: threshold, multiplyByParameterScale: isRelative,
                        weightDecay: own.weightDecay ?? 0, epsilon: epsilon)
                }
                return try adafactor(
                    learningRate: rate, minimumFactoredSide: side, decayExponent: decay, clippingThreshold: threshold,
                    multiplyByParameterScale: isRelative, momentum: momentum, weightDecay: own.weightDecay ?? 0,
                    epsilon: epsilon)
            }),
    ]
}
