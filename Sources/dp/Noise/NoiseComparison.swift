import CommandLineSupport
import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining

/// Every way to make the noise of some work within a budget.
struct NoiseComparison {
    let work: Workload
    let epsilon: Double
    let delta: Double
    let accountant: PlanAccountant
    /// The relation of all; nil for the first of each sampler's own.
    let relation: NeighboringRelation?
    let fitter: StrategyFitter

    /// The ways by ascending predicted error, the best of each relation marked. What is left out is noted.
    ///
    /// Throws ``UsageError`` if none is left.
    func rows() throws -> [NoiseRow] {
        let ways = try NoiseWay.all(of: work, relation: relation)
        let progress = ProgressLine()
        var rows: [NoiseRow] = []
        for (index, way) in ways.enumerated() {
            let line = ["\(index + 1)/\(ways.count)", way.name, way.sampling.kind]
            progress.show(line)
            if way.effort > NoiseWay.mostEffort {
                progress.clear()
                note("\(way.name), \(way.sampling.kind) is left out: it would take long to fit.")
                continue
            }
            do {
                let independent = rows.first { $0.isIndependent && $0.relation == way.relation }
                rows.append(
                    try NoiseRow(
                        way, plan: plan(way) { progress.show(line) }, independentError: independent?.predictedError))
            } catch let error as AccountingError {
                progress.clear()
                note("\(way.name), \(way.sampling.kind) is left out: \(error)")
            } catch let error as PrivacyMechanismError where error.isOfStrategy {
                progress.clear()
                note("\(way.name), \(way.sampling.kind) is left out: \(error)")
            }
        }
        progress.clear()
        if rows.isEmpty { throw UsageError(problems: ["No noise can be compared at this work and budget."]) }
        if rows.contains(where: { $0.samplingKind == "balls-in-bins" }),
            let remark = work.remark(onEpochsOf: work.stepsPerEpoch)
        {
            note("balls-in-bins: \(remark)")
        }
        if Set(rows.map(\.relation)).count > 1 {
            note(
                "An ε holds for the relation in its row: those of different relations are different promises. The best "
                    + "of each is recommended, and errors are beside DP-SGD's under the same relation.")
        }
        rows.sort { $0.predictedError < $1.predictedError }
        for relation in Set(rows.map(\.relation)) {
            if let best = rows.firstIndex(where: { $0.relation == relation }) { rows[best].isRecommended = true }
        }
        return rows
    }

    /// - Parameter whenFitted: called between the fit, which shows a line of its own, and the calibration.
    private func plan(_ way: NoiseWay, whenFitted: () -> Void) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: way.sampling, iterations: work.iterations, clipping: .flat(l2ClipNorm: 1),
            budget: .epsilon(epsilon), delta: delta, relation: way.relation, accountant: accountant, noise: way.noise,
            fit: { request, goal in
                defer { whenFitted() }
                return try fitter.strategy(for: request, goal: goal)
            })
    }
}

extension PrivacyMechanismError {
    /// Whether it says that there is no such strategy.
    fileprivate var isOfStrategy: Bool { if case .invalidStrategy = self { true } else { false } }
}
