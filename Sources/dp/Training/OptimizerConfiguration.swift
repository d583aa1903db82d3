import GradientTransformations
import PrivacyMechanisms
import PrivateOptimization
import PrivateTraining
import Requirements

/// An optimizer in a file: its name as in optax, its hyperparameters where they differ from the usual ones, and the
/// transform that gradients are clipped under.
///
///     {"name": "adam", "learningRate": 0.002, "scaleThenPrivatize": {}}
struct OptimizerConfiguration: Codable, Hashable, Sendable {
    /// One of the names in the table of optimizers.
    struct Name: RawRepresentable, CaseIterable, Hashable, Sendable {
        let rawValue: String

        init?(rawValue: String) {
            guard NamedOptimizer.table.contains(where: { $0.name == rawValue }) else { return nil }
            self.rawValue = rawValue
        }

        static var allCases: [Name] { NamedOptimizer.table.compactMap { Name(rawValue: $0.name) } }

        static let sgd = Name(rawValue: "sgd")!
        static let adam = Name(rawValue: "adam")!

        var optimizer: NamedOptimizer { NamedOptimizer.table.first { $0.name == rawValue }! }
    }

    /// Numbers of scale-then-privatize; see `ScaleThenPrivatize`.
    struct Scaling: Codable, Hashable, Sendable {
        var epsilon: Double?
        var epsilonRoot: Double?
        var warmUpSteps: Int?
        var floor: Double?
        var initialSecondMoment: Double?
        var refreshEvery: Int?

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case epsilon, epsilonRoot, warmUpSteps, floor, initialSecondMoment, refreshEvery
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
            refreshEvery = try box.decodeIfPresent(Int.self, forKey: .refreshEvery)
        }
    }

    var name: Name
    /// Nil for one that the noise allows.
    var learningRate: RateConfiguration?
    var hyperparameters = OptimizerHyperparameters()
    var scaleThenPrivatize: Scaling?

    init(name: Name, learningRate: RateConfiguration? = nil) {
        self.name = name
        self.learningRate = learningRate
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, learningRate, scaleThenPrivatize
    }

    init(from decoder: any Decoder) throws {
        let own = CodingKeys.allCases.map(\.stringValue)
        try decoder.refuseUnknownKeys(except: own + OptimizerHyperparameters.CodingKeys.allCases.map(\.stringValue))
        let box = try decoder.container(keyedBy: CodingKeys.self)
        name = try box.decodeChoice(Name.self, forKey: .name)
        learningRate = try box.decodeIfPresent(RateConfiguration.self, forKey: .learningRate)
        hyperparameters = try OptimizerHyperparameters(from: decoder)
        scaleThenPrivatize = try box.decodeIfPresent(Scaling.self, forKey: .scaleThenPrivatize)
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(name.rawValue, forKey: .name)
        try box.encodeIfPresent(learningRate, forKey: .learningRate)
        try hyperparameters.encode(to: encoder)
        try box.encodeIfPresent(scaleThenPrivatize, forKey: .scaleThenPrivatize)
    }
}

/// What is done with an optimizer whose type only the configuration knows.
protocol OptimizerVisitor {
    associatedtype Result
    func visit(_ optimizer: some AugmentedGradientTransformation) throws -> Result
}

extension OptimizerConfiguration {
    /// Makes the optimizer for a run of `steps` steps under a rate, and hands it to `visitor`.
    ///
    /// Throws for hyperparameters that are out of range or that the optimizer does not have, and for a scale without a
    /// second moment.
    func with<Visitor: OptimizerVisitor>(
        steps: Int, learningRate: RateConfiguration, _ visitor: Visitor
    ) throws -> Visitor.Result {
        let entry = name.optimizer
        // A hyperparameter that is set and not used would look as if it had been.
        for key in hyperparameters.given where !entry.hyperparameters.contains(key) {
            throw TrainingConfigurationError.unknownHyperparameter(
                key.rawValue, optimizer: name.rawValue, known: entry.hyperparameters.map(\.rawValue).sorted())
        }
        let rate = try learningRate.schedule(steps: steps)
        guard let scaling = scaleThenPrivatize else {
            return try plain(entry.optimizer(rate: rate, hyperparameters), visitor)
        }
        switch entry.maker {
        case .plain: throw TrainingConfigurationError.noSecondMoment(optimizer: name.rawValue)
        case .adaptive(let make): return try adaptive(make(rate, hyperparameters), scaling, visitor)
        case .factored(let make): return try factored(make(rate, hyperparameters), scaling, visitor)
        }
    }

    private func plain<Visitor: OptimizerVisitor>(
        _ optimizer: some GradientTransformation, _ visitor: Visitor
    ) throws -> Visitor.Result {
        try visitor.visit(IdentityAugmented(optimizer))
    }

    private func adaptive<Visitor: OptimizerVisitor>(
        _ optimizer: some SecondMomentTransformation, _ scaling: Scaling, _ visitor: Visitor
    ) throws -> Visitor.Result {
        try scaled(optimizer, scaling, visitor)
    }

    private func factored<Visitor: OptimizerVisitor>(
        _ optimizer: some FactoredMomentTransformation, _ scaling: Scaling, _ visitor: Visitor
    ) throws -> Visitor.Result {
        try scaled(optimizer, scaling, visitor)
    }

    private func scaled<Base: GradientTransformation, Visitor: OptimizerVisitor>(
        _ optimizer: Base, _ scaling: Scaling, _ visitor: Visitor
    ) throws -> Visitor.Result where Base.State: SecondMomentState, Base.State.Form: ScalableMoments {
        try visitor.visit(
            ScaleThenPrivatize(
                optimizer, epsilon: scaling.epsilon ?? ScaleEpsilon.usual, epsilonRoot: scaling.epsilonRoot ?? 0,
                warmUpSteps: scaling.warmUpSteps ?? 0, floor: scaling.floor ?? 0,
                initialSecondMoment: scaling.initialSecondMoment ?? 0, refreshEvery: scaling.refreshEvery ?? 1))
    }
}
