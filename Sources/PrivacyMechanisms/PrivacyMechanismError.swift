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
    /// A part of factored gradients names a leaf that the layout does not have.
    case unknownLeaf(TreePath)
    /// Two parts of factored gradients, or one of them twice, claim the same leaf.
    case leafTakenTwice(TreePath)
    /// A use that is joined with others is of another leaf than they are, or of several.
    case useOfAnotherLeaf(TreePath)
    /// A map was given for a part that has the gradients of several leaves.
    case mappedPartOfSeveralLeaves([TreePath])
    /// No part of factored gradients has this leaf.
    case leafWithoutGradient(TreePath)
    /// A leaf has another shape than the factors of its gradient make.
    case leafShapeMismatch(path: TreePath, shape: [Int], expected: [Int])
    /// A factor has another number of rows than there are examples (or examples times positions).
    case factorRowCountMismatch(path: TreePath, rows: Int, expected: Int)
    /// The number of positions of an example is below 1, or overflows with the number of examples.
    case invalidPositions(Int, path: TreePath)
    /// An index of an embedding is neither -1 nor a row of its table.
    case indexOutsideTable(path: TreePath, index: Int, rows: Int)
    /// A leaf does not follow, in the layout, the one that is named before it.
    case leavesNotConsecutive(TreePath)
    /// A pre-clipping scale has an element that is not a positive, finite number, and so cannot be inverted.
    case invalidScale(Float, path: TreePath, index: Int)
    /// A noise multiplier is negative, NaN or infinite, or its product with the sensitivity leaves Float64's normal
    /// range.
    case invalidNoiseMultiplier(Double)
    /// Noise was asked for a sum that nothing bounds: its clip norm is infinite.
    case unboundedSensitivity(noiseMultiplier: Double)
    /// Noise of this multiplier is so small that a discrete Gaussian on the grid of exact sums would have to be
    /// accounted as what it is.
    case noiseTooSmallForGrid(noiseMultiplier: Double, least: Double)
    /// Noise of this multiplier leaves a grid of exact sums nothing to distinguish.
    case noiseTooLargeForGrid(noiseMultiplier: Double, most: Double)
    /// A group of columns has so small a clip norm, beside those of the other groups, that rounding to the grid of
    /// exact sums would take it up.
    case clipNormTooSmallForGrid(clipNorm: Double, columns: Int, least: Double)
    /// Several ranks add up what depends on their order: sums without noise, or with floating-point noise.
    case ranksNeedExactSums(kind: String, noiseMultiplier: Double)
    /// Ranks were to sample a part of the data each, by a sampler whose law is then not that of one rank; `reason` is a
    /// clause.
    case needsAllExamples(sampler: String, reason: String)
    /// A number of adaptive quantile clipping is outside its range.
    case invalidAdaptiveClipping(name: String, value: Double, allowed: String)
    /// The clipping of a plan sets `normalizeBy`.
    case divisorInPlan
    /// A sampler's parameter is outside its range. `value` is text, so that NaN can be compared.
    case invalidSamplingParameter(name: String, value: String, allowed: String)
    /// Two users were said to own the same example, and so neither can be taken away alone.
    case exampleOfTwoUsers(example: Int)
    /// A number of a strategy for correlated noise, or of a wish for one, is outside its range. `value` is text, so
    /// that NaN can be compared.
    case invalidStrategy(name: String, value: String, allowed: String)
    /// A strategy's noise was asked for more steps than it is for.
    case strategyExhausted(steps: Int)
    /// A step's sums are not like those of earlier steps that have noise in common with it.
    case sumsChangedUnderStrategy(what: String)
    /// A file of fitted strategies cannot be read, or holds something else.
    case unreadableStrategies(path: String, reason: String)
    /// A file of fitted strategies cannot be written.
    case unwritableStrategies(path: String, reason: String)
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
        case .unknownLeaf(let path):
            return "The layout has no leaf '\(path)'; parts must name its leaves."
        case .useOfAnotherLeaf(let path):
            return "A use that is joined to the gradient of '\(path)' is of another leaf, or of several: each has to "
                + "be of this leaf alone."
        case .mappedPartOfSeveralLeaves(let paths):
            let names = paths.map { "'\($0)'" }.joined(separator: ", ")
            return "A map was given for the gradients of \(names): it has to be for one leaf."
        case .leafTakenTwice(let path):
            return "The leaf '\(path)' is in more than one part; every leaf must be in exactly one."
        case .leafWithoutGradient(let path):
            return "The leaf '\(path)' is in no part; every leaf must be in exactly one."
        case .leafShapeMismatch(let path, let shape, let expected):
            return "The leaf '\(path)' has shape \(shape), but its factors make \(expected)."
        case .factorRowCountMismatch(let path, let rows, let expected):
            return "A factor of '\(path)' has \(rows) rows, but must have \(expected): one for each example and "
                + "position."
        case .invalidPositions(let positions, let path):
            return "'\(path)' has \(positions) positions for each example, but must have at least 1, and not more rows "
                + "than Int can count."
        case .indexOutsideTable(let path, let index, let rows):
            return "An index of '\(path)' is \(index), but must be between 0 and \(rows - 1), or -1 for padding."
        case .leavesNotConsecutive(let path):
            return "The leaf '\(path)' does not follow the one named before it; leaves that share a matrix must follow "
                + "each other in the layout."
        case .invalidScale(let value, let path, let index):
            return "The pre-clipping scale of '\(path)' is \(value) at element \(index), "
                + "but must be positive and finite, so that it can be inverted."
        case .invalidNoiseMultiplier(let value):
            return "The noise multiplier is \(value), but must be 0 (no privacy) or positive, and its product "
                + "with the sensitivity a normal Float64 number."
        case .unboundedSensitivity(let noiseMultiplier):
            return "Noise of multiplier \(noiseMultiplier) was asked for a sum with an infinite clip norm, "
                + "which no noise can hide; choose a finite clip norm."
        case .noiseTooSmallForGrid(let noiseMultiplier, let least):
            return "The noise multiplier is \(noiseMultiplier), but exact sums need 0 (no privacy) or at least "
                + "\(least); use more noise, or the floating-point Gaussian for comparisons."
        case .noiseTooLargeForGrid(let noiseMultiplier, let most):
            return
                "The noise multiplier is \(noiseMultiplier), but exact sums allow at most \(most); use less noise, or "
                + "the floating-point Gaussian for comparisons."
        case .clipNormTooSmallForGrid(let clipNorm, let columns, let least):
            return "A clip norm of \(clipNorm) bounds \(columns) parameters, but beside the other clip norms it must "
                + "be above \(least), so that rounding to the grid leaves something of it; raise it, lower the "
                + "others, or let fewer parameters share it."
        case .invalidAdaptiveClipping(let name, let value, let allowed):
            return "\(name) of adaptive clipping is \(value), but must be \(allowed)."
        case .ranksNeedExactSums(let kind, let z):
            return
                "Several ranks add up exact sums alone, but the noise is of kind '\(kind)' and its multiplier is \(z). "
                + "Use discrete Gaussian or correlated noise of a multiplier above 0, or one rank."
        case .needsAllExamples(let sampler, let reason):
            return
                "Ranks that hold a part of the data each cannot sample by '\(sampler)': \(reason). Sample by "
                + "'poisson', or let every rank read all of the data."
        case .divisorInPlan:
            return "The clipping of a plan sets normalizeBy, but the sum is always divided by the expected batch size: "
                + "leave it out."
        case .invalidSamplingParameter(let name, let value, let allowed):
            return "\(name) is \(value), but must be \(allowed). Pass a value in that range."
        case .exampleOfTwoUsers(let example):
            return "Example \(example) is said to belong to two users, but must belong to at most one; "
                + "make the users' ranges disjoint."
        case .invalidStrategy(let name, let value, let allowed):
            return "\(name) is \(value), but must be \(allowed)."
        case .strategyExhausted(let steps):
            return "The strategy is for \(steps) steps, and all have been taken; plan a strategy for more of them, or "
                + "one that restarts."
        case .sumsChangedUnderStrategy(let what):
            return "Correlated noise needs \(what) in all steps between which it is correlated: a sum that is clipped "
                + "in another space, or to another norm, has another sensitivity. Use an optimizer that "
                + "transforms nothing, or whose scale changes only where the strategy restarts, and a fixed clip norm; "
                + "or independent noise."
        case .unreadableStrategies(let path, let reason):
            return "The strategies in '\(path)' cannot be read. \(reason) Name another file, or fit them again."
        case .unwritableStrategies(let path, let reason):
            return "The strategies cannot be written to '\(path)'. \(reason) Name a file in a folder that you may "
                + "write to."
        }
    }
}
