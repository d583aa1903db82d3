import PyTrees

/// What can be wrong with the values that configuration and data bring to a privacy mechanism.
public enum PrivacyMechanismError: Error, Equatable, Sendable {
    /// A clip norm is negative, NaN, or outside 1e-100 … 1e100 without being 0 or infinite; `path` is empty for a flat
    /// rule.
    case invalidClipNorm(Double, path: TreePath)
    /// `normalizeBy` is not between 1e-100 and 1e100.
    case invalidNormalization(Double)
    /// The stability constant of automatic or per-sample adaptive clipping is not between 1e-100 and 1e100.
    case invalidStability(Double)
    /// Automatic or per-sample adaptive clipping was asked for an infinite clip norm, under which it bounds nothing.
    case unboundedClipNorm(method: String)
    /// A tree of clip norms is not a structural prefix of the layout it is to clip.
    case clipNormsDoNotFitLayout(PyTreeError)
    /// A row of gradients has another length than the layout it is said to follow.
    case rowLengthMismatch(columns: Int, layoutCount: Int)
    /// The elements handed over are not whole rows of the layout.
    case elementCountMismatch(elements: Int, exampleCount: Int, columns: Int)
    /// There are not as many losses as examples.
    case lossCountMismatch(losses: Int, exampleCount: Int)
    /// A pre-clipping scale has an element that is not a positive, finite number, and so cannot be inverted.
    case invalidScale(Float, path: TreePath, index: Int)
    /// A noise multiplier is negative, NaN or infinite, or its product with the sensitivity leaves Float64's normal
    /// range.
    case invalidNoiseMultiplier(Double)
    /// Noise was asked for a sum that nothing bounds: its clip norm is infinite.
    case unboundedSensitivity(noiseMultiplier: Double)
    /// A number of adaptive quantile clipping is outside its range.
    case invalidAdaptiveClipping(name: String, value: Double, allowed: String)
    /// A sampler's parameter is outside its range. `value` is text, so that NaN can be compared.
    case invalidSamplingParameter(name: String, value: String, allowed: String)
    /// Two users were said to own the same example, and so neither can be taken away alone.
    case exampleOfTwoUsers(example: Int)
}

extension PrivacyMechanismError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .invalidClipNorm(let value, let path):
            let place = path == .root ? "" : " for '\(path)'"
            return "The clip norm\(place) is \(value), but must be 0, between 1e-100 and 1e100, or infinity."
        case .invalidNormalization(let value):
            return "normalizeBy is \(value), but must be a number between 1e-100 and 1e100 that does not depend on the "
                + "data: usually the expected batch size."
        case .invalidStability(let value):
            return "The stability constant is \(value), but must be between 1e-100 and 1e100; 0.01 is usual."
        case .unboundedClipNorm(let method):
            return "The clip norm of \(method) clipping is infinite, but must be finite; "
                + "use flat clipping to leave gradients as they are."
        case .clipNormsDoNotFitLayout(let error):
            return "The tree of clip norms does not fit the gradients' layout: \(error)"
        case .rowLengthMismatch(let columns, let layoutCount):
            return "Each row has \(columns) elements, but the layout has \(layoutCount) parameters."
        case .elementCountMismatch(let elements, let exampleCount, let columns):
            return "\(elements) elements were handed over, but must be \(exampleCount) examples × \(columns) "
                + "parameters."
        case .lossCountMismatch(let losses, let exampleCount):
            return "There are \(losses) losses for \(exampleCount) examples; give one for each example."
        case .invalidScale(let value, let path, let index):
            return "The pre-clipping scale of '\(path)' is \(value) at element \(index), "
                + "but must be positive and finite, so that it can be inverted."
        case .invalidNoiseMultiplier(let value):
            return "The noise multiplier is \(value), but must be 0 (no privacy) or positive, and its product "
                + "with the sensitivity a normal Float64 number."
        case .unboundedSensitivity(let noiseMultiplier):
            return "Noise of multiplier \(noiseMultiplier) was asked for a sum with an infinite clip norm, "
                + "which no noise can hide; choose a finite clip norm."
        case .invalidAdaptiveClipping(let name, let value, let allowed):
            return "\(name) of adaptive clipping is \(value), but must be \(allowed)."
        case .invalidSamplingParameter(let name, let value, let allowed):
            return "\(name) is \(value), but must be \(allowed). Pass a value in that range."
        case .exampleOfTwoUsers(let example):
            return "Example \(example) is said to belong to two users, but must belong to at most one; "
                + "make the users' ranges disjoint."
        }
    }
}
