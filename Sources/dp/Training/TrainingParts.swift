import CommandLineSupport
import GradientTransformations
import PrivacyMechanisms
import PrivateTraining
import Requirements

/// What a run is made of, chosen where its configuration leaves something open: data and model, then the plan, then the
/// optimizer.
///
/// One after the other: an audit counts the model's parameters before it says how many examples the plan is for.
struct TrainingParts {
    /// What was asked for, and what was chosen so far.
    private(set) var configuration: TrainingConfiguration
    private var defaults: TrainingDefaults
    let data: LoadedData
    /// Nil where numbers are to be predicted.
    let classCount: Int?
    /// The examples as the model takes them.
    let training: any Dataset
    let test: (any Dataset)?
    let architecture: NetworkArchitecture
    let model: FrozenModel<Network>
    /// What training begins from; nil for the network's own initial parameters.
    let given: GivenParameters?

    /// Makes the model for the data that the configuration names.
    ///
    /// - Parameters:
    ///   - folder: that of a run whose parameters may have been given; it is only read.
    ///   - ranks: who makes the same parts at once. Where one of them cannot, all throw.
    init(_ configuration: TrainingConfiguration, _ data: LoadedData, folder: RunFolder?, ranks: Ranks? = nil) throws {
        var configuration = configuration
        self.data = data
        let targets = try ranks.together { try data.firstTargets }
        classCount = targets.classCount
        defaults = TrainingDefaults(
            exampleCount: data.exampleCount, userCount: data.owners.map { Set($0).count },
            classCount: targets.classCount, imageShape: data.imageShape)
        defaults.chooseModel(of: &configuration)
        (training, test) = try Self.mapped(data, by: configuration.features, over: ranks)
        let examples = [training, test].compactMap(\.self)
        (architecture, given, model) = try ranks.together {
            let architecture =
                try configuration.architecture
                ?? NetworkArchitecture(
                    specification: configuration.model ?? "", featureCount: examples[0].featureCount,
                    outputCount: targets.outputCount, vocabulary: data.encoding.text?.vocabulary.count,
                    positions: data.positions ?? data.imageShape?[0])
            let network = try Network(architecture)
            for data in examples where data.count > 0 { try network.check(data.examples(at: [0])) }
            try configuration.augmentation?.check(featureCount: network.featureCount)
            let given = try Self.givenParameters(of: configuration, for: network, folder)
            let frozen = configuration.frozen ?? []
            let model =
                if let given {
                    try network.freezing(frozen, of: given.parameters)
                } else {
                    try network.freezing(frozen, ofInitialParameters: configuration.initializationSeed)
                }
            return (architecture, given, model)
        }
        self.configuration = configuration
    }

    /// The examples as the model takes them: their features, where there are any. Ranks that have the same examples
    /// share the work.
    private static func mapped(
        _ data: LoadedData, by features: FeatureConfiguration?, over ranks: Ranks?
    ) throws -> (training: any Dataset, test: (any Dataset)?) {
        try ranks?.agree(on: ["kind of features": try features.map { try jsonLine($0) } ?? "none"])
        guard let features else { return (data.training, data.test) }
        // What lies elsewhere is mapped elsewhere, by other exchanges.
        func place(_ data: (any Dataset)?) -> String {
            data.map { $0 is InMemoryDataset ? "memory" : "files" } ?? "nowhere"
        }
        try ranks?.agree(on: [
            "place of the training data": place(data.training), "place of the test data": place(data.test),
            "way of holding the data": data.whole == nil ? "all of them" : "a part of them",
        ])
        let training =
            if data.whole == nil {
                try features.map(data.training, over: ranks)
            } else {
                // A part of the data is one rank's own.
                try ranks.together { try features.map(data.training) }
            }
        return (training, try data.test.map { try features.map($0, over: ranks) })
    }

    /// Makes the plan, which the configuration then says in full.
    ///
    /// - Parameter count: the number of examples that it is for.
    mutating func makePlan(exampleCount count: Int, fitter: StrategyFitter) throws -> PrivacyPlan {
        defaults.exampleCount = count
        defaults.choosePlan(of: &configuration)
        // A run that goes on has them in its sampling.
        if let users = configuration.users, let owners = data.owners, configuration.plan.sampling == nil {
            try configuration.plan.protectUsers(users, owners: owners)
        }
        let plan = try configuration.plan.plan(exampleCount: count, fit: fitter.strategy(for:goal:))
        configuration.plan = plan.request
        try plan.normalization?.check(featureCount: training.featureCount)
        guard plan.initialClippingRule.sensitivity(for: .addOrRemoveOne) > 0 else {
            throw TrainingConfigurationError.clipsEverything
        }
        if let scaling = configuration.optimizer?.scaleThenPrivatize,
            !plan.allowsTransforms(changingEvery: scaling.refreshEvery ?? 1)
        {
            throw PrivacyMechanismError.sumsChangedUnderStrategy(what: "the same transform")
        }
        return plan
    }

    /// Chooses the optimizer and its rate for a plan that was made, and hands it to `visitor`.
    ///
    /// - Parameter prepare: makes the visitor, once nothing is open.
    mutating func withOptimizer<Visitor: OptimizerVisitor>(
        for plan: PrivacyPlan, _ prepare: (TrainingParts) throws -> Visitor
    ) throws -> Visitor.Result {
        defaults.chooseOptimizer(
            of: &configuration, for: plan, featureCount: model.featureCount, parameterCount: model.layout.count)
        guard let optimizer = configuration.optimizer, let rate = optimizer.learningRate else {
            fail("The defaults choose an optimizer and its rate.")
        }
        return try optimizer.with(steps: plan.iterations, learningRate: rate, prepare(self))
    }

    /// What is told before the first step.
    func briefing(on plan: PrivacyPlan) -> TrainingBriefing {
        TrainingBriefing(
            configuration: configuration, plan: plan, exampleCount: data.exampleCount, classCount: classCount,
            testCount: test?.count, parameterCount: model.layout.count, choices: defaults.choices)
    }

    /// What training is to begin from. A run that goes on has it in its folder: frozen parameters stand in no
    /// checkpoint, and the file that they came from may have changed.
    private static func givenParameters(
        of configuration: TrainingConfiguration, for network: Network, _ folder: RunFolder?
    ) throws -> GivenParameters? {
        guard configuration.initial != nil else { return nil }
        guard let folder, folder.hasRun else { return try GivenParameters(of: configuration, for: network) }
        if let kept = folder.keptInitial { return GivenParameters(parameters: try network.read(kept), notes: []) }
        if folder.hasCheckpoints {
            throw TrainingConfigurationError.missingInitial(path: folder.path(RunFolder.initial))
        }
        return try GivenParameters(of: configuration, for: network)
    }
}
