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
    /// For how many steps the rate rises from 0 to its largest; 0 for a plain cosine.
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

    private enum CodingKeys: String, CodingKey {
        case kind, value, final, warmupSteps
    }

    /// The keys that a schedule of this kind has.
    private static func keys(of kind: Kind) -> [CodingKeys] {
        switch kind {
        case .constant: [.kind, .value]
        case .linear, .cosine, .exponential: [.kind, .value, .final]
        case .warmupCosine: [.kind, .value, .final, .warmupSteps]
        }
    }

    init(from decoder: any Decoder) throws {
        if let value = try? decoder.singleValueContainer().decode(Double.self) {
            self.init(value)
            return
        }
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try box.decodeChoice(Kind.self, forKey: .kind)
        try decoder.refuseUnknownKeys(except: Self.keys(of: kind).map(\.stringValue))
        let value = try box.decode(Double.self, forKey: .value)
        let final =
            switch kind {
            case .constant: value
            // It cannot end at 0.
            case .exponential: try box.decode(Double.self, forKey: .final)
            case .linear, .cosine, .warmupCosine: try box.decodeIfPresent(Double.self, forKey: .final) ?? 0
            }
        self.init(
            kind: kind, value: value, final: final,
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

    /// The schedule for a run of `steps` steps.
    ///
    /// Throws `invalidHyperparameter`, which names the key: rates are finite and at least 0, those of an exponential
    /// decay above 0, a cosine does not rise from 0, and a warm-up ends before the run.
    func schedule(steps: Int) throws(GradientTransformationError) -> NamedSchedule {
        let steps = max(1, steps)
        try check(value, kind == .constant ? "learningRate" : "learningRate.value")
        try check(final, "learningRate.final")
        if value == 0, final > 0, kind == .cosine || kind == .warmupCosine {
            // A cosine ends at a share of its largest rate.
            throw .invalidHyperparameter(
                name: "learningRate.value", value: value,
                allowed: "above 0 for a cosine that ends at \(final); a linear schedule can rise from 0")
        }
        guard (0..<steps).contains(warmupSteps) else {
            throw .invalidHyperparameter(
                name: "learningRate.warmupSteps", value: Double(warmupSteps),
                allowed: "at least 0 and below the number of steps, \(steps)")
        }
        switch kind {
        case .constant: return .constant(value)
        case .linear: return .polynomial(try linearSchedule(from: value, to: final, steps: steps))
        case .warmupCosine where warmupSteps > 0:
            return .warmupCosine(
                try warmupCosineSchedule(from: 0, peak: value, warmupSteps: warmupSteps, steps: steps, to: final))
        case .cosine, .warmupCosine:
            return .cosine(try CosineSchedule(from: value, steps: steps, finalShare: value == 0 ? 0 : final / value))
        case .exponential:
            return .exponential(try ExponentialSchedule(from: value, rate: final / value, steps: steps))
        }
    }

    private func check(_ rate: Double, _ name: String) throws(GradientTransformationError) {
        let isExponential = kind == .exponential
        guard rate.isFinite, isExponential ? rate > 0 : rate >= 0 else {
            throw .invalidHyperparameter(
                name: name, value: rate,
                allowed: isExponential ? "finite and above 0, for an exponential decay" : "finite and at least 0")
        }
    }
}
