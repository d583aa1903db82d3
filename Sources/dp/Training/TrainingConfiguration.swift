import Foundation
import PrivacyMechanisms
import PrivateTraining
import Requirements

/// All that a training run depends on, as `dp train --config` reads it and as it is written beside the model.
///
/// What is left open, ``TrainingDefaults`` chooses; what is written beside the model has nothing open.
struct TrainingConfiguration: Codable, Hashable, Sendable {
    var data: DataConfiguration
    /// Whose the examples are; nil where each is protected by itself, or the plan's sampling says it.
    var users: UserConfiguration?
    /// A fixed map of the inputs that was not learned from the data; nil to train on the inputs themselves.
    var features: FeatureConfiguration?
    /// How images are changed at random in training; nil for not at all.
    var augmentation: ImageAugmentation?
    /// As `NetworkArchitecture` reads it: "softmax", "mlp:784-256-10:tanh", "cnn:mnist", "gru:64".
    var model: String?
    /// The layers themselves, in the place of ``model``.
    var architecture: NetworkArchitecture?
    var optimizer: OptimizerConfiguration?
    /// A safetensors file with the parameters to begin from, with this package's names or PyTorch's. They must be
    /// public.
    var initial: String?
    /// A JSON file with the `WeightMapping` that ``initial`` is read by; nil where its names say enough.
    var mapping: String?
    /// Parameters that stay as they began: paths of leaves, or of layers.
    var frozen: [TreePath]?
    /// What the run promises.
    var plan: PlanRequest
    var averaging: ParameterAveraging?
    /// Nil for as many examples as fit into memory; see `TrainingOptions`.
    var microbatchSize: Int?
    /// Evaluate after every so many steps; nil for at most twenty times in all, and a fifth of the time.
    var evaluationInterval: Int?
    /// A checkpoint after every so many steps; nil for some twenty times in all.
    var checkpointInterval: Int?
    var initializationSeed: UInt64
    /// Replays noise and sampling: not private.
    var nonPrivateSeed: UInt64?

    init(data: DataConfiguration, plan: PlanRequest = PlanRequest()) {
        self.data = data
        self.plan = plan
        initializationSeed = 0
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case data, users, features, augmentation, model, architecture, optimizer, mapping, frozen, plan, averaging,
            microbatchSize
        case evaluationInterval, checkpointInterval, initializationSeed, nonPrivateSeed
        case initial = "init"
    }

    /// Throws `DecodingError` for keys that it does not know, and what the parts throw.
    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        data = try box.decode(DataConfiguration.self, forKey: .data)
        users = try box.decodeIfPresent(UserConfiguration.self, forKey: .users)
        features = try box.decodeIfPresent(FeatureConfiguration.self, forKey: .features)
        augmentation = try box.decodeIfPresent(ImageAugmentation.self, forKey: .augmentation)
        model = try box.decodeIfPresent(String.self, forKey: .model)
        architecture = try box.decodeIfPresent(NetworkArchitecture.self, forKey: .architecture)
        optimizer = try box.decodeIfPresent(OptimizerConfiguration.self, forKey: .optimizer)
        initial = try box.decodeIfPresent(String.self, forKey: .initial)
        mapping = try box.decodeIfPresent(String.self, forKey: .mapping)
        frozen = try box.decodeIfPresent([TreePath].self, forKey: .frozen)
        plan = try box.decodeIfPresent(PlanRequest.self, forKey: .plan) ?? PlanRequest()
        averaging = try box.decodeIfPresent(ParameterAveraging.self, forKey: .averaging)
        microbatchSize = try box.decodeIfPresent(Int.self, forKey: .microbatchSize)
        evaluationInterval = try box.decodeIfPresent(Int.self, forKey: .evaluationInterval)
        checkpointInterval = try box.decodeIfPresent(Int.self, forKey: .checkpointInterval)
        initializationSeed = try box.decodeIfPresent(UInt64.self, forKey: .initializationSeed) ?? 0
        nonPrivateSeed = try box.decodeIfPresent(UInt64.self, forKey: .nonPrivateSeed)
    }

    /// What the model is called: its short form, or the kinds of its layers.
    var modelName: String { model ?? architecture?.summary ?? "" }

    /// The data, read or opened, and who owns which example. Throws as ``DataConfiguration/load(owners:)``.
    func loadData() throws -> LoadedData { try data.load(owners: users?.owners) }

    /// The options of a trainer.
    var options: TrainingOptions {
        TrainingOptions(
            microbatchSize: microbatchSize, averaging: averaging ?? .none,
            evaluation: evaluationInterval.map { .every($0) } ?? .adaptive(),
            initializationSeed: initializationSeed, nonPrivateSeed: nonPrivateSeed)
    }
}

extension TrainingConfiguration {
    /// The part that says who owns which example, and that nobody else may see; nil if there is none.
    var secretSampling: SamplingScheme? {
        plan.sampling.flatMap { $0.isConfidential ? $0 : nil }
    }

    /// The rest, for files that are made to be shown. Where `users` says how users are drawn, all but who they are
    /// stays.
    var published: TrainingConfiguration {
        var rest = self
        if let secretSampling {
            rest.plan.sampling = nil
            if users != nil { rest.plan.expectedBatchSize = secretSampling.expectedBatchSize }
        }
        return rest
    }

    /// Puts back what ``published`` left out.
    mutating func restore(_ sampling: SamplingScheme) {
        plan.sampling = sampling
        plan.expectedBatchSize = nil
    }

    /// Whether how batches are drawn is not in it: a run that has begun then keeps it in a secret file.
    var lacksSampling: Bool { users != nil && plan.sampling == nil || plan.lacksSampling }
}

extension PlanRequest {
    /// Whether it leaves open how batches are drawn: a plan that was made does so only where that is kept elsewhere.
    var lacksSampling: Bool { sampling == nil && expectedBatchSize == nil }
}
