/// After which steps a run is evaluated and reported. The last step always is.
///
/// It says nothing about parameters and privacy: they are the same under every schedule.
public enum EvaluationSchedule: Hashable, Sendable {
    /// The last step alone.
    case atEnd
    /// Every so many steps, at least 1.
    case every(Int)
    /// At most `limit` steps, evenly spread, as long as evaluations take no more than `timeShare` of the run's time so
    /// far; a step whose evaluation would is passed over. The first evaluation says how long one takes, and the last
    /// one is always made.
    ///
    /// Which steps are evaluated depends on the clock. `limit` is at least 1, `timeShare` in (0, 1].
    case adaptive(limit: Int = 20, timeShare: Double = 0.2)

    /// Throws ``TrainingError/outOfRange(name:value:allowed:)``.
    func validate() throws(TrainingError) {
        switch self {
        case .atEnd: break
        case .every(let interval):
            guard interval >= 1 else {
                throw .outOfRange(name: "evaluationInterval", value: "\(interval)", allowed: "at least 1")
            }
        case .adaptive(let limit, let timeShare):
            guard limit >= 1 else {
                throw .outOfRange(name: "limit", value: "\(limit)", allowed: "at least 1")
            }
            guard timeShare > 0, timeShare <= 1 else {
                throw .outOfRange(name: "timeShare", value: "\(timeShare)", allowed: "in (0, 1]")
            }
        }
    }

    /// Whether a step is evaluated and reported.
    ///
    /// - Parameters:
    ///   - step: 1, 2, …, `iterations`.
    ///   - time: how the run's time was spent so far.
    ///   - lastEvaluation: the seconds that the last evaluation took; nil before the first.
    func isDue(at step: Int, of iterations: Int, after time: TrainingTime, lastEvaluation: Double?) -> Bool {
        if step == iterations { return true }
        switch self {
        case .atEnd: return false
        case .every(let interval): return step.isMultiple(of: interval)
        case .adaptive(let limit, let timeShare):
            // ⌈iterations / limit⌉, and 1 for a run of no steps.
            let interval = iterations > 0 ? (iterations - 1) / limit + 1 : 1
            guard step.isMultiple(of: interval) else { return false }
            guard let next = lastEvaluation else { return true }
            return time.evaluation + next <= timeShare * (time.total + next)
        }
    }
}

/// How a run's time was spent, in seconds; of a run that goes on from a checkpoint, the part since then.
public struct TrainingTime: Codable, Hashable, Sendable {
    /// Drawing batches, reading examples, gradients, noise and updates.
    public internal(set) var steps = 0.0
    /// Evaluations.
    public internal(set) var evaluation = 0.0
    /// Writing checkpoints.
    public internal(set) var checkpoints = 0.0

    /// All three.
    public var total: Double { steps + evaluation + checkpoints }

    init() {}

    /// Adds the time that `body` takes.
    mutating func measure<Result>(
        _ part: WritableKeyPath<TrainingTime, Double>, _ body: () throws -> Result
    ) rethrows -> Result {
        let begin = ContinuousClock.now
        defer { self[keyPath: part] += begin.duration(to: .now) / .seconds(1) }
        return try body()
    }
}
