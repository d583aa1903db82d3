import PyTrees

/// Where a run stands in its strategy, and what all sums must have in common that the strategy's noise is added to.
///
/// **Guarantee:** a step is entered only if its sum has the grid, the noise multiplier, the divisor, the columns and
/// the transform of the first step of the window, and if the window has a step left.
struct NoiseWindow: Codable, Sendable {
    /// n.
    private let length: Int
    private let restarts: Bool
    /// Steps taken, in the window and in those before it.
    private(set) var taken = 0
    private var sums: Sums?

    /// What stays.
    private struct Sums: Codable, Equatable, Sendable {
        let layout: TreeLayout
        let noiseMultiplier: Double
        let spacing: Double
        let sensitivity: Int
        let divisor: Double
        /// The scale of the transform; nil for the identity.
        let scale: ParameterVector?
    }

    init(of mechanism: CorrelatedMechanism) {
        length = mechanism.strategy.steps
        restarts = mechanism.restarts
    }

    /// The place of the next step, of a window that was read from a file.
    ///
    /// Throws `DecodingError` unless it is one of n steps, with or without restarts, and stands within them.
    func check(length: Int, restarts: Bool) throws -> Int {
        guard self.length == length, self.restarts == restarts, length > 0 else {
            throw Self.corrupted("The window has \(self.length) steps, but the strategy of the plan has \(length).")
        }
        guard taken >= 0, restarts || taken <= length, (sums == nil) == (taken == 0) else {
            throw Self.corrupted("\(taken) steps were taken in a strategy of \(length).")
        }
        return place
    }

    static func corrupted(_ what: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "The state of correlated noise does not fit: \(what)"))
    }

    /// The layout of the sums, once there was one.
    var layout: TreeLayout? { sums?.layout }

    /// The place of the next step in its window: 0 where everything begins anew.
    ///
    /// Throws `strategyExhausted` and `sumsChangedUnderStrategy`, and `noiseTooLargeForGrid` for noise that the grid
    /// has no room for.
    mutating func enter<Transform>(
        _ batch: borrowing ClippedAggregate<Transform>, on grid: SumGrid
    ) throws(PrivacyMechanismError) -> Int {
        guard restarts || taken < length else { throw .strategyExhausted(steps: length) }
        if case .general = batch.form { throw .sumsChangedUnderStrategy(what: "no transform but a scale") }
        let found = Sums(
            layout: batch.bounds.layout, noiseMultiplier: batch.noiseMultiplier, spacing: grid.spacing,
            sensitivity: grid.sensitivity, divisor: batch.clipping.normalizeBy,
            scale: batch.form.scale)
        if place > 0, let sums {
            guard sums.scale == found.scale else { throw .sumsChangedUnderStrategy(what: "the same transform") }
            guard sums == found else {
                throw .sumsChangedUnderStrategy(what: "the same layout, clip norms, divisor and noise multiplier")
            }
        }
        sums = found
        return place
    }

    /// The place of the next step in its window.
    var place: Int { taken % length }

    /// Counts the step that was entered, once its noise has been drawn.
    mutating func leave() { taken += 1 }
}
