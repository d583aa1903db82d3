import CPrivacyKernels
import PyTrees

/// The state of a link with running means of gradients and of their squares.
public struct MomentsState: SingleSecondMomentState, Codable, Hashable, Sendable {
    /// The number of steps taken.
    public var steps = 0

    /// The first moment m.
    public var firstMoment: ParameterVector

    /// The second moment v.
    public var secondMoment: ParameterVector

    package init(zeros layout: TreeLayout) {
        firstMoment = ParameterVector(zeros: layout)
        secondMoment = ParameterVector(zeros: layout)
    }

    package mutating func withOperation(
        _ formula: MomentOperation.Formula, _ constants: dpk_constants, layout: TreeLayout,
        _ body: (MomentOperation) -> Void
    ) {
        withMoments(&firstMoment, &secondMoment, layout: layout) { first, second in
            body(MomentOperation(formula: formula, constants: constants, first: first, second: second))
        }
    }
}

/// The state of a link with a running mean or sum of squared gradients.
public struct SecondMomentOnlyState: SingleSecondMomentState, Codable, Hashable, Sendable {
    /// The number of steps taken.
    public var steps = 0

    /// The second moment v.
    public var secondMoment: ParameterVector
}

/// The state of a link with a running mean or sum of gradients.
public struct FirstMomentState: Codable, Hashable, Sendable {
    /// The number of steps taken.
    public var steps = 0

    /// The first moment m.
    public var firstMoment: ParameterVector

    package init(zeros layout: TreeLayout) {
        firstMoment = ParameterVector(zeros: layout)
    }

    package mutating func withOperation(
        _ formula: MomentOperation.Formula, _ constants: dpk_constants, layout: TreeLayout,
        _ body: (MomentOperation) -> Void
    ) {
        withMoments(&firstMoment, layout: layout) { first in
            body(MomentOperation(formula: formula, constants: constants, first: first))
        }
    }
}

extension dpk_constants {
    /// Those of Adam's relatives after `steps` steps.
    ///
    /// The corrections are computed in Float64: in Float32, 1 − β₂ᵗ would lose most of its digits on the first steps.
    package init(beta1: Double, beta2: Double, steps: Int, nesterov: Bool = false) {
        let correction = biasCorrection(beta1, steps)
        self.init(
            decay1: Float(beta1), gain1: Float(1 - beta1), decay2: Float(beta2), gain2: Float(1 - beta2),
            momentum: Float(nesterov ? beta1 * biasCorrection(beta1, steps + 1) : correction),
            gradient: Float(nesterov ? (1 - beta1) * correction : 0),
            correction: Float(biasCorrection(beta2, steps)), root: 0, epsilon: 0)
    }
}

/// 1 / (1 − decayᵗ): what makes a running mean that started at zero unbiased.
func biasCorrection(_ decay: Double, _ steps: Int) -> Double {
    1 / (1 - power(decay, steps))
}

/// `base` to the power of a whole number, by repeated squaring.
func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var square = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= square }
        square *= square
        rest >>= 1
    }
    return result
}
