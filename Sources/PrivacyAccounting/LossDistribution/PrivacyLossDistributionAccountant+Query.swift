import Foundation

extension PrivacyLossDistributionAccountant {
    /// One event, translated once and asked as often as needed.
    struct Query {
        private let event: PrivacyEvent
        private let phases: Phases
        private let accountant: PrivacyLossDistributionAccountant
        private let upper: [LossModel]

        init(_ event: PrivacyEvent, _ accountant: PrivacyLossDistributionAccountant) throws(AccountingError) {
            (self.event, self.accountant) = (event, accountant)
            phases = try Phases(event)
            upper = try LossModel.directions(phases, relation: accountant.relation, side: .upper)
        }

        /// The directions for one of the ends. Those of the lower one are made where they are asked for: for random
        /// allocations they take as long as an answer.
        private func models(isOptimistic: Bool) throws(AccountingError) -> [LossModel] {
            isOptimistic
                ? try LossModel.directions(phases, relation: accountant.relation, side: .lower) : upper
        }

        /// μ, when the composition is Gaussian and nothing else: no discretisation then.
        private var gaussianMu: Double? {
            if phases.isNonPrivate { return .infinity }
            guard phases.phases.isEmpty else { return nil }
            return phases.gaussians.mu(under: accountant.relation)
        }

        func epsilon(delta: Double, isOptimistic: Bool) throws(AccountingError) -> Double {
            // Below the least δ the upper end is that of δ = 0, and the lower end that of the least δ: ε falls with δ.
            let delta = isOptimistic && delta > 0 ? max(delta, GaussianDifferentialPrivacy.leastDelta) : delta
            if let mu = gaussianMu {
                let error = isOptimistic ? Self.closedFormError : -Self.closedFormError
                // No δ reaches 1, where ε would be −∞.
                let epsilon = GaussianDifferentialPrivacy.epsilon(delta: delta + error * delta, mu: mu)
                return epsilon - error * epsilon
            }
            let pure = pureEpsilon(isOptimistic: isOptimistic)
            guard delta >= GaussianDifferentialPrivacy.leastDelta else { return pure }
            let ends = try models(isOptimistic: isOptimistic).map { model in
                end(model, isOptimistic, contour: { $0.epsilon(delta: delta) }, cells: { $0.epsilon(delta: delta) })
            }
            let most = min(pure, ends.max()!)
            // Where nothing is proven here, Rényi divergences may prove something.
            guard most == .infinity, !isOptimistic, let renyi = try? renyi.epsilon(of: event, delta: delta) else {
                return most
            }
            return renyi
        }

        func delta(epsilon: Double, isOptimistic: Bool) throws(AccountingError) -> Double {
            if let mu = gaussianMu {
                let error = isOptimistic ? Self.closedFormError : -Self.closedFormError
                let delta = GaussianDifferentialPrivacy.delta(epsilon: epsilon + error * epsilon, mu: mu)
                if mu == 0 || epsilon == .infinity { return delta }
                // Below 10⁻³⁰⁰ a density in Float64 has no relative accuracy left.
                return isOptimistic
                    ? (delta < Self.leastDelta ? 0 : delta - error * delta)
                    : min(1, max(Self.leastDelta, delta - error * delta))
            }
            if epsilon >= pureEpsilon(isOptimistic: isOptimistic) { return 0 }
            let ends = try models(isOptimistic: isOptimistic).map { model in
                end(
                    model, isOptimistic, contour: { $0.delta(epsilon: epsilon) }, cells: { $0.delta(epsilon: epsilon) })
            }
            let most = ends.max()!
            if isOptimistic { return most < Self.leastDelta ? 0 : most }
            let least = most < 1 ? most : (try? renyi.delta(of: event, epsilon: epsilon)) ?? 1
            return max(least, Self.leastDelta)
        }

        /// The end that a contour integral proves where losses are smooth, or sums of cells; the better one of both
        /// where the contour's ends are not close.
        private func end(
            _ model: LossModel, _ isOptimistic: Bool, contour: (ContourQuery) -> ContourQuery.Answer?,
            cells: (CellQuery) -> Double
        ) -> Double {
            let answer = ContourQuery(model).flatMap(contour)
            let known = answer.map { isOptimistic ? $0.lower : $0.upper }
            if let answer, let known, answer.isSharp { return known }
            let found = cells(CellQuery(model, side: isOptimistic ? .lower : .upper))
            guard let known else { return found }
            return isOptimistic ? max(known, found) : min(known, found)
        }

        private var renyi: RenyiAccountant { RenyiAccountant(relation: accountant.relation) }

        /// The least upper end of a δ that is not 0: what is below it in a step was left out.
        private static let leastDelta = 1e-300

        /// A bound on the relative errors of ε and of δ in closed form: 10⁻⁹ for δ, less for ε and for μ.
        private static let closedFormError = 2e-9

        /// ε at δ = 0: the largest loss, rounded down or up.
        private func pureEpsilon(isOptimistic: Bool) -> Double {
            LossModel.largestLoss(phases, relation: accountant.relation, side: isOptimistic ? .lower : .upper)
        }
    }
}
