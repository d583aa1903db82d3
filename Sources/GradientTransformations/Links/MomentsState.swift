import PyTrees

/// The state of a link with running means of gradients and of their squares.
public struct MomentsState: SingleSecondMomentState, Codable, Hashable, Sendable {
    /// The number of steps taken.
    public var steps = 0

    /// The first moment m.
    public var firstMoment: ParameterVector

    /// The second moment v.
    public var secondMoment: ParameterVector

    init(zeros layout: TreeLayout) {
        firstMoment = ParameterVector(zeros: layout)
        secondMoment = ParameterVector(zeros: layout)
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
