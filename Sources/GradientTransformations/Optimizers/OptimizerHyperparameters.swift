/// The hyperparameters of a ``NamedOptimizer``; nil where the usual value is meant.
package struct OptimizerHyperparameters: Codable, Hashable, Sendable {
    package enum CodingKeys: String, CaseIterable, CodingKey, Sendable {
        case momentum, nesterov, beta1, beta2, decay, epsilon, weightDecay
        case minimumFactoredSide, clippingThreshold, multiplyByParameterScale
    }

    package var momentum: Double?
    package var nesterov: Bool?
    package var beta1: Double?
    package var beta2: Double?
    /// The decay of averages, where there is one; Adafactor's is an exponent.
    package var decay: Double?
    package var epsilon: Double?
    package var weightDecay: Double?
    package var minimumFactoredSide: Int?
    package var clippingThreshold: Double?
    package var multiplyByParameterScale: Bool?

    package init() {}

    /// Those that are given.
    package var given: [CodingKeys] {
        CodingKeys.allCases.filter { key in
            switch key {
            case .momentum: momentum != nil
            case .nesterov: nesterov != nil
            case .beta1: beta1 != nil
            case .beta2: beta2 != nil
            case .decay: decay != nil
            case .epsilon: epsilon != nil
            case .weightDecay: weightDecay != nil
            case .minimumFactoredSide: minimumFactoredSide != nil
            case .clippingThreshold: clippingThreshold != nil
            case .multiplyByParameterScale: multiplyByParameterScale != nil
            }
        }
    }
}
