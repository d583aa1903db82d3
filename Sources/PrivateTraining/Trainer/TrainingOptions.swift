/// Options that the promise does not depend on: speed, memory, accuracy, and reports on the way.
public struct TrainingOptions: Hashable, Sendable {
    /// How many examples' activations are in memory at once; at least 1.
    public var microbatchSize: Int
    /// Which average of the parameters is evaluated and returned.
    public var averaging: ParameterAveraging
    /// Evaluate after every so many steps, at least 1; nil only at the end.
    public var evaluationInterval: Int?
    /// The seed of the initial parameters, which do not depend on the data.
    public var initializationSeed: UInt64
    /// Replays noise and sampling. **Not private**: for tests.
    public var nonPrivateSeed: UInt64?
    /// Sentences for the report: what else is not covered.
    public var notCovered: [String]

    /// Options with usual values.
    public init(
        microbatchSize: Int = 512, averaging: ParameterAveraging = .none, evaluationInterval: Int? = nil,
        initializationSeed: UInt64 = 0, nonPrivateSeed: UInt64? = nil, notCovered: [String] = []
    ) {
        self.microbatchSize = microbatchSize
        self.averaging = averaging
        self.evaluationInterval = evaluationInterval
        self.initializationSeed = initializationSeed
        self.nonPrivateSeed = nonPrivateSeed
        self.notCovered = notCovered
    }

    func validated() throws(TrainingError) -> TrainingOptions {
        guard microbatchSize >= 1 else {
            throw .outOfRange(name: "microbatchSize", value: "\(microbatchSize)", allowed: "at least 1")
        }
        guard (evaluationInterval ?? 1) >= 1 else {
            throw .outOfRange(name: "evaluationInterval", value: "\(evaluationInterval ?? 0)", allowed: "at least 1")
        }
        _ = try averaging.validated()
        return self
    }
}
