import Networks

/// Options that the promise does not depend on: speed, memory, accuracy, and reports on the way.
public struct TrainingOptions: Hashable, Sendable {
    /// How many examples' gradients are in memory at once, at least 1. Nil for as many as fit into 256 MB by the
    /// model's ``/Networks/TrainableModel/gradientBytesPerExample``, at least 1 and at most 512: results do not depend
    /// on it but for the rounding of sums.
    public var microbatchSize: Int?
    /// Which average of the parameters is evaluated and returned.
    public var averaging: ParameterAveraging
    /// After which steps the model is evaluated and reported.
    public var evaluation: EvaluationSchedule
    /// The seed of the initial parameters, which do not depend on the data, and of dropout and augmentation.
    public var initializationSeed: UInt64
    /// Replays noise and sampling. **Not private**: for tests.
    public var nonPrivateSeed: UInt64?
    /// Sentences for the report: what else is not covered.
    public var notCovered: [String]

    /// Options with usual values.
    public init(
        microbatchSize: Int? = nil, averaging: ParameterAveraging = .none, evaluation: EvaluationSchedule = .atEnd,
        initializationSeed: UInt64 = 0, nonPrivateSeed: UInt64? = nil, notCovered: [String] = []
    ) {
        self.microbatchSize = microbatchSize
        self.averaging = averaging
        self.evaluation = evaluation
        self.initializationSeed = initializationSeed
        self.nonPrivateSeed = nonPrivateSeed
        self.notCovered = notCovered
    }

    func validated() throws(TrainingError) -> TrainingOptions {
        if let microbatchSize, microbatchSize < 1 {
            throw .outOfRange(name: "microbatchSize", value: "\(microbatchSize)", allowed: "at least 1")
        }
        try evaluation.validate()
        _ = try averaging.validated()
        return self
    }

    /// The microbatch that was asked for, or the one that fits, where there are so many copies of each example.
    package func microbatchSize(for model: some TrainableModel, copies: Int = 1) -> Int {
        microbatchSize ?? min(512, max(1, 256_000_000 / max(1, model.gradientBytesPerExample * copies)))
    }

    /// What dropout and augmentations draw from in a step, together with each example: public, and the same when the
    /// step is taken again.
    package func drawKey(step: Int) -> UInt64 { initializationSeed &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(step) }
}
