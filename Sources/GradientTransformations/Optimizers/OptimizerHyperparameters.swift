/// The hyperparameters of a ``NamedOptimizer``; nil where the usual value is meant.
package struct OptimizerHyperparameters: Hashable, Sendable {
    package enum Key: String, CaseIterable, CodingKey, Sendable {
        case momentum, nesterov, beta1, beta2, decay, epsilon, weightDecay
    }

    package var momentum: Double?
    package var nesterov: Bool?
    package var beta1: Double?
    package var beta2: Double?
    /// The decay of averages, where there is one.
    package var decay: Double?
    package var epsilon: Double?
    package var weightDecay: Double?

    package init() {}

    /// Those that are given.
    package var given: [Key] {
        Key.allCases.filter { key in
            switch key {
            case .momentum: momentum != nil
            case .nesterov: nesterov != nil
            case .beta1: beta1 != nil
            case .beta2: beta2 != nil
            case .decay: decay != nil
            case .epsilon: epsilon != nil
            case .weightDecay: weightDecay != nil
            }
        }
    }
}

extension OptimizerHyperparameters {
    /// Reads those that are there; others of the object's keys are left to others.
    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: Key.self)
        momentum = try box.decodeIfPresent(Double.self, forKey: .momentum)
        nesterov = try box.decodeIfPresent(Bool.self, forKey: .nesterov)
        beta1 = try box.decodeIfPresent(Double.self, forKey: .beta1)
        beta2 = try box.decodeIfPresent(Double.self, forKey: .beta2)
        decay = try box.decodeIfPresent(Double.self, forKey: .decay)
        epsilon = try box.decodeIfPresent(Double.self, forKey: .epsilon)
        weightDecay = try box.decodeIfPresent(Double.self, forKey: .weightDecay)
    }

    /// Writes those that are given.
    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: Key.self)
        try box.encodeIfPresent(momentum, forKey: .momentum)
        try box.encodeIfPresent(nesterov, forKey: .nesterov)
        try box.encodeIfPresent(beta1, forKey: .beta1)
        try box.encodeIfPresent(beta2, forKey: .beta2)
        try box.encodeIfPresent(decay, forKey: .decay)
        try box.encodeIfPresent(epsilon, forKey: .epsilon)
        try box.encodeIfPresent(weightDecay, forKey: .weightDecay)
    }
}
