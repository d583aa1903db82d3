import PyTrees
import Requirements

/// The average of the steps' parameters that is evaluated and returned. It costs no privacy, and reduces the noise.
public enum ParameterAveraging: Hashable, Sendable {
    /// The last parameters.
    case none
    /// An exponential moving average, a ← d·a + (1 − d)·x, divided by 1 − dᵗ; `decay` d in [0, 1).
    case exponential(decay: Double)
    /// The mean of the parameters of the last steps: of the planned ones, the share `fraction` in (0, 1].
    case tail(fraction: Double)

    /// Throws ``TrainingError/outOfRange(name:value:allowed:)``.
    func validated() throws(TrainingError) -> ParameterAveraging {
        switch self {
        case .none: break
        case .exponential(let decay):
            guard decay >= 0, decay < 1 else {
                throw .outOfRange(name: "decay", value: "\(decay)", allowed: "in [0, 1)")
            }
        case .tail(let fraction):
            guard fraction > 0, fraction <= 1 else {
                throw .outOfRange(name: "fraction", value: "\(fraction)", allowed: "in (0, 1]")
            }
        }
        return self
    }
}

extension ParameterAveraging: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, decay, fraction
    }

    private enum Kind: String, Codable, CaseIterable {
        case none, exponential, tail
    }

    /// Reads `{"kind": "none"}`, `{"kind": "exponential", "decay": 0.99}` or `{"kind": "tail", "fraction": 0.5}`.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let averaging: ParameterAveraging =
            switch try box.decodeChoice(Kind.self, forKey: .kind) {
            case .none: .none
            case .exponential: .exponential(decay: try box.decode(Double.self, forKey: .decay))
            case .tail: .tail(fraction: try box.decode(Double.self, forKey: .fraction))
            }
        self = try averaging.validated()
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .none: try box.encode(Kind.none, forKey: .kind)
        case .exponential(let decay):
            try box.encode(Kind.exponential, forKey: .kind)
            try box.encode(decay, forKey: .decay)
        case .tail(let fraction):
            try box.encode(Kind.tail, forKey: .kind)
            try box.encode(fraction, forKey: .fraction)
        }
    }
}

/// A running average of parameters; its sum and weight go into checkpoints.
struct AveragedParameters: Codable, Sendable {
    /// Σ w_t·x_t; nil while nothing was averaged.
    private var sum: ParameterVector?
    /// Σ w_t.
    private var weight = 0.0

    init() {}

    /// Adds the parameters after step `step` (1, 2, …) of `iterations`.
    mutating func add(_ parameters: ParameterVector, step: Int, of iterations: Int, _ averaging: ParameterAveraging) {
        let keep: Double
        let share: Double
        switch averaging {
        case .none: return
        case .exponential(let decay): (keep, share) = (decay, 1 - decay)
        case .tail(let fraction):
            if Double(step) <= Double(iterations) * (1 - fraction) { return }
            (keep, share) = (1, 1)
        }
        weight = keep * weight + share
        var sum = self.sum ?? ParameterVector(zeros: parameters.layout)
        self.sum = nil  // so that it is changed in place
        sum.withUnsafeMutableValues { sum in
            parameters.withUnsafeValues { values in
                let (keep, share) = (Float(keep), Float(share))
                for index in sum.indices { sum[index] = keep * sum[index] + share * values[index] }
            }
        }
        self.sum = sum
    }

    /// The average so far; `parameters` while there is none.
    func value(orElse parameters: ParameterVector) -> ParameterVector {
        guard var result = sum else { return parameters }
        let divisor = Float(weight)
        result.withUnsafeMutableValues { for index in $0.indices { $0[index] /= divisor } }
        return result
    }
}
