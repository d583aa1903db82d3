import GradientTransformations
import PrivacyMechanisms
import PrivateTraining

/// An optimizer in a file: its name as in optax, its hyperparameters where they differ from the usual ones, and the
/// transform that gradients are clipped under.
///
///     {"name": "adam", "learningRate": 0.002, "scaleThenPrivatize": {"epsilon": 1e-3}}
struct OptimizerConfiguration: Codable, Hashable, Sendable {
    enum Name: String, Codable, CaseIterable {
        case sgd, adam, adamw, nadam, amsgrad, rmsprop, adagrad, yogi, adadelta, adabelief, lion, lamb
    }

    /// Numbers of scale-then-privatize; see `ScaleThenPrivatize`.
    struct Scaling: Codable, Hashable, Sendable {
        var epsilon: Double?
        var epsilonRoot: Double?
        var warmUpSteps: Int?
        var floor: Double?
        var initialSecondMoment: Double?

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case epsilon, epsilonRoot, warmUpSteps, floor, initialSecondMoment
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try decoder.refuseUnknownKeys(CodingKeys.self)
            let box = try decoder.container(keyedBy: CodingKeys.self)
            epsilon = try box.decodeIfPresent(Double.self, forKey: .epsilon)
            epsilonRoot = try box.decodeIfPresent(Double.self, forKey: .epsilonRoot)
            warmUpSteps = try box.decodeIfPresent(Int.self, forKey: .warmUpSteps)
            floor = try box.decodeIfPresent(Double.self, forKey: .floor)
            initialSecondMoment = try box.decodeIfPresent(Double.self, forKey: .initialSecondMoment)
        }
    }

    var name: Name
    var learningRate: RateConfiguration
    /// For sgd and rmsprop.
    var momentum: Double?
    /// For sgd and adamw.
    var nesterov: Bool?
    var beta1: Double?
    var beta2: Double?
    /// The decay of rmsprop's and adadelta's averages.
    var decay: Double?
    var epsilon: Double?
    /// For adamw, lion and lamb.
    var weightDecay: Double?
    var scaleThenPrivatize: Scaling?

    init(name: Name, learningRate: RateConfiguration) {
        self.name = name
        self.learningRate = learningRate
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, learningRate, momentum, nesterov, beta1, beta2, decay, epsilon, weightDecay, scaleThenPrivatize
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        name = try box.decodeChoice(Name.self, forKey: .name)
        learningRate = try box.decode(RateConfiguration.self, forKey: .learningRate)
        momentum = try box.decodeIfPresent(Double.self, forKey: .momentum)
        nesterov = try box.decodeIfPresent(Bool.self, forKey: .nesterov)
        beta1 = try box.decodeIfPresent(Double.self, forKey: .beta1)
        beta2 = try box.decodeIfPresent(Double.self, forKey: .beta2)
        decay = try box.decodeIfPresent(Double.self, forKey: .decay)
        epsilon = try box.decodeIfPresent(Double.self, forKey: .epsilon)
        weightDecay = try box.decodeIfPresent(Double.self, forKey: .weightDecay)
        scaleThenPrivatize = try box.decodeIfPresent(Scaling.self, forKey: .scaleThenPrivatize)
    }
}

/// What is done with an optimizer whose type only the configuration knows.
protocol OptimizerVisitor {
    associatedtype Result
    func visit(_ optimizer: some AugmentedGradientTransformation) throws -> Result
}

extension OptimizerConfiguration {
    /// Makes the optimizer for a run of `steps` steps and hands it to `visitor`.
    ///
    /// Throws for hyperparameters that are out of range or that the optimizer does not have, and for a scale without a
    /// second moment.
    func with<Visitor: OptimizerVisitor>(steps: Int, _ visitor: Visitor) throws -> Visitor.Result {
        try checkHyperparameters()
        let rate = try learningRate.schedule(steps: steps)
        let (b1, b2) = (beta1 ?? 0.9, beta2 ?? 0.999)
        switch name {
        case .sgd:
            if let momentum {
                return try plain(
                    sgd(learningRate: rate, momentum: momentum, nesterov: nesterov ?? false), visitor)
            }
            return try plain(sgd(learningRate: rate), visitor)
        case .adam:
            return try adaptive(adam(learningRate: rate, beta1: b1, beta2: b2, epsilon: epsilon ?? 1e-8), visitor)
        case .adamw:
            return try adaptive(
                adamw(
                    learningRate: rate, weightDecay: weightDecay ?? 1e-4, beta1: b1, beta2: b2,
                    epsilon: epsilon ?? 1e-8, nesterov: nesterov ?? false), visitor)
        case .nadam:
            return try adaptive(nadam(learningRate: rate, beta1: b1, beta2: b2, epsilon: epsilon ?? 1e-8), visitor)
        case .amsgrad:
            return try adaptive(amsgrad(learningRate: rate, beta1: b1, beta2: b2, epsilon: epsilon ?? 1e-8), visitor)
        case .rmsprop:
            if let momentum {
                return try adaptive(
                    rmsprop(
                        learningRate: rate, decay: decay ?? 0.9, epsilon: epsilon ?? 1e-8, momentum: momentum,
                        nesterov: nesterov ?? false), visitor)
            }
            return try adaptive(
                rmsprop(learningRate: rate, decay: decay ?? 0.9, epsilon: epsilon ?? 1e-8), visitor)
        case .adagrad: return try adaptive(adagrad(learningRate: rate, epsilon: epsilon ?? 1e-7), visitor)
        case .yogi:
            return try adaptive(yogi(learningRate: rate, beta1: b1, beta2: b2, epsilon: epsilon ?? 1e-3), visitor)
        case .adadelta:
            return try plain(
                adadelta(learningRate: rate, decay: decay ?? 0.9, epsilon: epsilon ?? 1e-6), visitor)
        case .adabelief:
            return try plain(adabelief(learningRate: rate, beta1: b1, beta2: b2, epsilon: epsilon ?? 1e-16), visitor)
        case .lion:
            return try plain(
                lion(learningRate: rate, beta1: b1, beta2: beta2 ?? 0.99, weightDecay: weightDecay ?? 1e-3), visitor)
        case .lamb:
            return try plain(
                lamb(
                    learningRate: rate, weightDecay: weightDecay ?? 0, beta1: b1, beta2: b2,
                    epsilon: epsilon ?? 1e-6), visitor)
        }
    }

    private func plain<Visitor: OptimizerVisitor>(
        _ optimizer: some GradientTransformation, _ visitor: Visitor
    ) throws -> Visitor.Result {
        guard scaleThenPrivatize == nil else {
            throw TrainingConfigurationError.noSecondMoment(optimizer: name.rawValue)
        }
        return try visitor.visit(IdentityAugmented(optimizer))
    }

    private func adaptive<Optimizer: GradientTransformation, Visitor: OptimizerVisitor>(
        _ optimizer: Optimizer, _ visitor: Visitor
    ) throws -> Visitor.Result where Optimizer.State: SecondMomentState {
        guard let scaling = scaleThenPrivatize else { return try visitor.visit(IdentityAugmented(optimizer)) }
        return try visitor.visit(
            ScaleThenPrivatize(
                optimizer, epsilon: scaling.epsilon ?? 1e-8, epsilonRoot: scaling.epsilonRoot ?? 0,
                warmUpSteps: scaling.warmUpSteps ?? 0, floor: scaling.floor ?? 0,
                initialSecondMoment: scaling.initialSecondMoment ?? 0))
    }

    /// A hyperparameter that is set and not used would look as if it had been.
    private func checkHyperparameters() throws {
        let given: [(key: String, isSet: Bool)] = [
            ("momentum", momentum != nil), ("nesterov", nesterov != nil), ("beta1", beta1 != nil),
            ("beta2", beta2 != nil), ("decay", decay != nil), ("epsilon", epsilon != nil),
            ("weightDecay", weightDecay != nil),
        ]
        let known: Set<String> =
            switch name {
            case .sgd: ["momentum", "nesterov"]
            case .adam, .nadam, .amsgrad, .yogi, .adabelief: ["beta1", "beta2", "epsilon"]
            case .adamw: ["beta1", "beta2", "epsilon", "weightDecay", "nesterov"]
            case .rmsprop: ["decay", "epsilon", "momentum", "nesterov"]
            case .adagrad: ["epsilon"]
            case .adadelta: ["decay", "epsilon"]
            case .lion: ["beta1", "beta2", "weightDecay"]
            case .lamb: ["beta1", "beta2", "epsilon", "weightDecay"]
            }
        for (key, isSet) in given where isSet && !known.contains(key) {
            throw TrainingConfigurationError.unknownHyperparameter(
                key, optimizer: name.rawValue, known: known.sorted())
        }
    }
}
