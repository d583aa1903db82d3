import GradientTransformations
import PrivateTraining
import Requirements

/// A learning rate in a file: a number, or a schedule over the steps of the run.
///
///     0.5
///     {"kind": "cosine", "value": 0.5}
///     {"kind": "warmup-cosine", "value": 0.5, "warmupSteps": 20}
///     {"kind": "linear", "value": 0.5, "final": 0.05}
struct RateConfiguration: Codable, Hashable, Sendable {
    enum Kind: String, Codable, CaseIterable {
        case constant, linear, cosine, exponential
        case warmupCosine = "warmup-cosine"
    }

    let kind: Kind
    /// The largest rate.
    let value: Double
    /// The rate at the end; above 0 for an exponential decay.
    let final: Double
    /// For how many steps the rate rises from 0 to its largest; at least 1 with a warm-up.
    let warmupSteps: Int

    init(_ value: Double) {
        self.init(kind: .constant, value: value, final: value, warmupSteps: 0)
    }

    private init(kind: Kind, value: Double, final: Double, warmupSteps: Int) {
        self.kind = kind
        self.value = value
        self.final = final
        self.warmupSteps = warmupSteps
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, value, final, warmupSteps
    }

    init(from decoder: any Decoder) throws {
        if let value = try? decoder.singleValueContainer().decode(Double.self) {
            self.init(value)
            return
        }
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try box.decodeChoice(Kind.self, forKey: .kind)
        let value = try box.decode(Double.self, forKey: .value)
        self.init(
            kind: kind, value: value,
            final: try box.decodeIfPresent(Double.self, forKey: .final) ?? (kind == .constant ? value : 0),
            warmupSteps: try box.decodeIfPresent(Int.self, forKey: .warmupSteps) ?? 0)
    }

    func encode(to encoder: any Encoder) throws {
        if kind == .constant {
            var box = encoder.singleValueContainer()
            return try box.encode(value)
        }
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(kind, forKey: .kind)
        try box.encode(value, forKey: .value)
        try box.encode(final, forKey: .final)
        if kind == .warmupCosine { try box.encode(warmupSteps, forKey: .warmupSteps) }
    }

    /// The schedule for a run of `steps` steps; throws for numbers out of range.
    func schedule(steps: Int) throws -> NamedSchedule {
        let steps = max(1, steps)
        switch kind {
        case .constant: return .constant(value)
        case .linear: return .polynomial(try linearSchedule(from: value, to: final, steps: steps))
        case .cosine:
            return .cosine(try CosineSchedule(from: value, steps: steps, finalShare: value == 0 ? 0 : final / value))
        case .warmupCosine:
            return .warmupCosine(
                try warmupCosineSchedule(from: 0, peak: value, warmupSteps: warmupSteps, steps: steps, to: final))
        case .exponential:
            return .exponential(try ExponentialSchedule(from: value, rate: final / value, steps: steps))
        }
    }
}
