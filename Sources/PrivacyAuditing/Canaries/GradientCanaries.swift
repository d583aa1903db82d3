import LinearAlgebra
import PrivacyMechanisms
import PrivateTraining
import PyTrees
import Requirements

/// The canaries of one run, in the space of gradients: what they contribute, and what is seen of them.
///
/// The last examples of the plan are canaries. A canary that is in has a gradient far beyond the clip norm in its own
/// direction; one that is not has none, or, where the promise is to replacements, the opposite one. Sampling, clipping,
/// sum, noise and optimizer are the run's: canaries lie among its gradients, in the form that these have.
///
/// The attacker knows all other examples and their part in each step, and takes their sum away from what is released;
/// not where a plan's ε rests on nobody knowing who else takes part.
///
/// One run, on one thread at a time.
final class GradientCanaries<Transform: PreClippingTransform>: CanaryInsertion, @unchecked Sendable {
    // Sendable is unchecked because an optimizer that is observed has to be, and one run calls it from one thread.
    let plan: PrivacyPlan
    let coins: CanaryCoins
    private let placed: PlacedDirections
    private let layout: TreeLayout
    private let firstCanary: Int
    private let knowsOthers: Bool

    /// The clipping of the step that is next: it moves where it adapts.
    var clipping: ClippingRule {
        didSet { sensitivity = clipping.sensitivity(for: .addOrRemoveOne) }
    }
    /// Δ, that of `clipping`: all sums are in units of it.
    private var sensitivity: Double
    private var transform: Transform?
    private var images: CanaryImages?
    private var others: ClippedAggregate<Transform>?
    /// What a canary contributes to a sum at most, in units of Δ.
    private var amplitudes: [Double]?
    /// For each canary, what was seen in each step, in units of Δ.
    private(set) var sums: [[Double]]

    /// - Parameter count: at most as many as the plan has examples.
    /// - Throws: ``AuditingError`` for a number of canaries that the layout has no room for.
    init(
        _ plan: PrivacyPlan, count: Int, directions: CanaryDirections, layout: TreeLayout,
        using generator: inout some RandomNumberGenerator
    ) throws {
        self.plan = plan
        self.layout = layout
        coins = CanaryCoins(count: count, using: &generator)
        placed = try PlacedDirections(directions, count: count, layout: layout, using: &generator)
        firstCanary = plan.sampling.exampleCount - count
        knowsOthers = try !plan.sampling.participation(in: plan.iterations).dependsOnUnitCount
        clipping = plan.initialClippingRule
        sensitivity = clipping.sensitivity(for: .addOrRemoveOne)
        sums = [[Double]](repeating: [], count: count)
    }

    /// Whether an index is of a canary, and not of an ordinary example.
    func isCanary(_ index: Int) -> Bool { index >= firstCanary }

    /// Whether a canary contributes anything where it is drawn.
    func contributes(_ index: Int) -> Bool {
        coins.isIncluded[index - firstCanary] || plan.relation == .replaceOne
    }

    // MARK: What goes in

    /// Rows of many coordinates are no factors.
    var keepsFactors: Bool { placed.kind == .coordinates }

    /// −1 for canaries: nothing is asked of them.
    func asked(for index: Int) -> Int { isCanary(index) ? -1 : index }

    /// Gradients with canaries in their places. Those of `base` there may be anything.
    func inserted(into base: FactoredGradients, at indices: [Int]) -> FactoredGradients {
        add(others: base, at: indices)
        require(keepsFactors, "Directions of many coordinates have no factors.")
        return base.replacing(
            indices.enumerated().compactMap { place, index in
                guard isCanary(index) else { return nil }
                let value = size(of: index - firstCanary)
                return CanaryRow(
                    example: place, column: value == 0 ? nil : placed.directions[index - firstCanary].columns[0],
                    value: value)
            })
    }

    /// Gradients written out as rows, with canaries in their places.
    func inserted(into base: some PerExampleGradients, at indices: [Int]) -> DenseRows {
        add(others: base, at: indices)
        var rows = Matrix(rows: indices.count, columns: layout.count)
        for (place, index) in indices.enumerated() {
            rows.withMutableRow(place) { row in
                guard isCanary(index) else { return base.copyGradient(of: place, into: &row) }
                let canary = index - firstCanary
                placed.directions[canary].write(times: size(of: canary), to: &row)
            }
        }
        return DenseRows(canaries: rows, layout: layout)
    }

    private func add(others base: some PerExampleGradients, at indices: [Int]) {
        require(
            base.exampleCount == indices.count,
            "\(base.exampleCount) gradients were returned for \(indices.count) examples.")
        guard knowsOthers, let transform, indices.contains(where: { !isCanary($0) }) else { return }
        if others == nil { others = Self.unnoised(clipping, transform) }
        others?.add(base, padding: indices.map(isCanary))
    }

    /// How long a canary's gradient is, before the transform; 0 if it has none.
    private func size(of canary: Int) -> Float {
        if coins.isIncluded[canary] { return size(in: placed.directions[canary]) }
        return plan.relation == .replaceOne ? -size(in: placed.directions[canary]) : 0
    }

    /// So long that its image is 64 times as long as any clip norm.
    private func size(in direction: PlacedDirections.Direction) -> Float {
        let image = currentImages.image(of: direction).values
        let norm = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let bound = sensitivity * clipping.normalizeBy
        return Float(min(64 * (bound.isFinite && bound > 0 ? bound : 1) / max(norm, 1e-30), 1e30))
    }

    // MARK: What comes out

    /// The transform of the next step.
    func begin(_ transform: Transform) {
        self.transform = transform
        images = CanaryImages(of: transform)
        others = nil
    }

    /// What a step released, before anything else is done with it.
    func observe(_ released: ParameterVector) {
        if amplitudes == nil { amplitudes = measuredAmplitudes() }
        let others = others.take()?.nonPrivateSum()
        for canary in sums.indices {
            sums[canary].append(Self.product(image(of: canary), released, minus: others) / sensitivity)
        }
    }

    /// What canaries that are in contribute by the plan's own clipping, in their directions.
    private func measuredAmplitudes() -> [Double] {
        guard let transform else { fail("A step was observed that did not ask for its transform.") }
        var sum = Self.unnoised(clipping, transform)
        let block = max(1, (4 << 20) / max(1, layout.count))
        for begin in stride(from: 0, to: placed.directions.count, by: block) {
            let canaries = begin..<min(begin + block, placed.directions.count)
            var rows = Matrix(rows: canaries.count, columns: layout.count)
            for canary in canaries {
                let direction = placed.directions[canary]
                rows.withMutableRow(canary - begin) { direction.write(times: size(in: direction), to: &$0) }
            }
            sum.add(DenseRows(canaries: rows, layout: layout))
        }
        let total = sum.nonPrivateSum()
        return placed.directions.indices.map { Self.product(image(of: $0), total, minus: nil) / sensitivity }
    }

    /// The scores of all canaries after the run.
    ///
    /// - Throws: what the plan's sampling throws.
    func scores(by scoring: CanaryScoring) throws -> CanaryScores {
        let model = try ObservationModel(plan, parameterCount: layout.count)
        let amplitudes = amplitudes ?? []
        var (included, excluded) = ([Double](), [Double]())
        for (canary, isIncluded) in coins.isIncluded.enumerated() {
            let score =
                amplitudes.isEmpty ? 0 : model.score(sums[canary], amplitude: amplitudes[canary], by: scoring)
            if isIncluded { included.append(score) } else { excluded.append(score) }
        }
        return try CanaryScores(included: included, excluded: excluded)
    }

    // MARK: Parts

    private var currentImages: CanaryImages {
        guard let images else { fail("Gradients were asked for before a step has said what its transform is.") }
        return images
    }

    private func image(of canary: Int) -> (columns: [Int], values: [Double]) {
        currentImages.image(of: placed.directions[canary])
    }

    /// ⟨image, vector − other⟩/‖image‖.
    private static func product(
        _ image: (columns: [Int], values: [Double]), _ vector: ParameterVector, minus other: ParameterVector?
    ) -> Double {
        var (sum, squares) = (0.0, 0.0)
        for (column, value) in zip(image.columns, image.values) {
            sum += value * (Double(vector.values[column]) - Double(other?.values[column] ?? 0))
            squares += value * value
        }
        return squares > 0 ? sum / squares.squareRoot() : 0
    }

    private static func unnoised(_ clipping: ClippingRule, _ transform: Transform) -> ClippedAggregate<Transform> {
        do throws(PrivacyMechanismError) {
            return try ClippedAggregate(clipping, transform: transform, noiseMultiplier: 0)
        } catch {
            fail("A sum that takes noise exists without noise, too: \(error)")
        }
    }
}

extension DenseRows {
    /// Rows that were made for their layout.
    init(canaries matrix: Matrix, layout: TreeLayout) {
        do throws(PrivacyMechanismError) {
            try self.init(matrix, layout: layout)
        } catch {
            fail("Rows were made for the layout: \(error)")
        }
    }
}

extension ObservationModel {
    /// That of a plan, for canaries of as many parameters.
    fileprivate init(_ plan: PrivacyPlan, parameterCount: Int) throws {
        let mechanism = plan.noise.mechanism
        pattern = try plan.sampling.participation(in: plan.iterations)
        strategy = plan.noise.correlation.map { $0.strategy.strategy.matrix }
        deviation = mechanism.deviation(
            noiseMultiplier: plan.gradientNoiseMultiplier, sensitivity: 1, columns: parameterCount)
        excluded = plan.relation == .replaceOne ? -1 : 0
    }
}
