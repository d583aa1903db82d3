import Foundation

extension PrivacyLossDistributionAccountant {
    /// One event, translated once and asked as often as needed.
    struct Query {
        private let phases: Phases
        private let accountant: PrivacyLossDistributionAccountant
        private let upper: [LossModel]
        private let lower: [LossModel]

        init(_ event: PrivacyEvent, _ accountant: PrivacyLossDistributionAccountant) throws(AccountingError) {
            self.accountant = accountant
            phases = try Phases(event)
            upper = try LossModel.directions(phases, relation: accountant.relation, side: .upper)
            lower = try LossModel.directions(phases, relation: accountant.relation, side: .lower)
        }

        /// μ, when the composition is Gaussian and nothing else: no discretisation then.
        private var gaussianMu: Double? {
            if phases.isNonPrivate { return .infinity }
            guard phases.phases.isEmpty else { return nil }
            return accountant.relation.sensitivityFactor * phases.inverseGaussianVariance.squareRoot()
        }

        func epsilon(delta: Double, isOptimistic: Bool) throws(AccountingError) -> Double {
            if let mu = gaussianMu { return GaussianDifferentialPrivacy.epsilon(delta: delta, mu: mu) }
            let pure = pureEpsilon
            guard delta >= GaussianDifferentialPrivacy.leastDelta else { return pure }
            var result = 0.0
            for model in isOptimistic ? lower : upper {
                result = try max(result, epsilon(model, delta: delta, isOptimistic: isOptimistic))
            }
            return min(pure, result)
        }

        func delta(epsilon: Double, isOptimistic: Bool) throws(AccountingError) -> Double {
            if let mu = gaussianMu { return GaussianDifferentialPrivacy.delta(epsilon: epsilon, mu: mu) }
            if epsilon >= pureEpsilon { return 0 }
            var result = 0.0
            for model in isOptimistic ? lower : upper {
                result = try max(result, self.delta(model, epsilon: epsilon, isOptimistic: isOptimistic))
            }
            return result
        }

        /// ε at δ = 0: the sum of the largest losses. Finite only for compositions of Laplace mechanisms.
        private var pureEpsilon: Double {
            if phases.inverseGaussianVariance > 0 { return .infinity }
            var sum = 0.0
            for phase in phases.phases {
                guard case .laplace(let b) = phase.mechanism else { return .infinity }
                sum += Double(phase.count) * accountant.relation.sensitivityFactor / b
            }
            return sum
        }

        private func epsilon(_ model: LossModel, delta: Double, isOptimistic: Bool) throws(AccountingError) -> Double {
            let tail = max(1e-300, 1e-8 * delta / model.steps)
            let guide = CumulantGuide(model, tail: tail)
            let choice = guide.choice(delta: delta)
            let aim = max(choice.epsilon, 1e-12)
            var h = interval(model, order: 1 + choice.tilt, slope: 1 / aim, near: aim, isOptimistic: isOptimistic)
            var isCoarsened = false
            while true {
                let answer: (epsilon: Double, slope: Double)
                do throws(AccountingError) {
                    answer = try epsilon(
                        model, guide: guide, tilt: choice.tilt, tail: tail, delta: delta, interval: h,
                        isOptimistic: isOptimistic)
                } catch {
                    h = try coarser(h, after: error)
                    isCoarsened = true
                    continue
                }
                // Where rare large losses share δ with many small ones, the order that the guide saw belongs to the
                // former. The slope of δ at the answer tells; refine once it shows the grid to be too coarse.
                let better = interval(
                    model, order: 1 + answer.slope, slope: 1 / max(answer.epsilon, 0.05 * aim), near: aim,
                    isOptimistic: isOptimistic)
                if isOptimistic || isCoarsened || better > 0.7 * h { return answer.epsilon }
                h = better
            }
        }

        private func epsilon(
            _ model: LossModel, guide: CumulantGuide, tilt: Double, tail: Double, delta: Double,
            interval h: Double, isOptimistic: Bool
        ) throws(AccountingError) -> (epsilon: Double, slope: Double) {
            let limit = PrivacyLossDistributionAccountant.sizeLimit
            let parts = try model.discretized(interval: h, tail: tail, isOptimistic: isOptimistic, limit: limit)
            let shift = RoundingShift(parts, failureProbability: 1e-3 * delta)
            var tilt = tilt
            while true {
                let composition = try TiltedComposition(parts, interval: h, tilt: tilt, guide: guide, limit: limit)
                let crossing =
                    isOptimistic
                    ? composition.lowerEpsilon(delta: delta + shift.failureProbability)
                    : composition.upperEpsilon(delta: delta)
                // A window too far up proves too little, not too much: look lower, at last without any tilt.
                if crossing.isInside || tilt == 0 {
                    let epsilon = isOptimistic ? max(0, crossing.epsilon - shift.epsilon) : crossing.epsilon
                    return (epsilon, crossing.slope)
                }
                tilt = tilt > 1e-3 ? tilt / 4 : 0
            }
        }

        private func delta(_ model: LossModel, epsilon: Double, isOptimistic: Bool) throws(AccountingError) -> Double {
            if epsilon == .infinity { return 0 }
            let loose = CumulantGuide(model, tail: 0)
            guard loose.choice(epsilon: epsilon).logDelta >= log(Self.leastDelta) else {
                return isOptimistic ? 0 : try chernoffDelta(model, epsilon: epsilon, guide: loose)
            }
            let guess = exp(loose.choice(epsilon: epsilon).logDelta)
            let tail = max(1e-300, 1e-10 * guess / model.steps)
            let guide = CumulantGuide(model, tail: tail)
            let choice = guide.choice(epsilon: epsilon)
            var h = interval(
                model, order: 1 + choice.tilt, slope: max(1, choice.tilt), near: epsilon,
                isOptimistic: isOptimistic)
            while true {
                do throws(AccountingError) {
                    let limit = PrivacyLossDistributionAccountant.sizeLimit
                    let parts = try model.discretized(
                        interval: h, tail: tail, isOptimistic: isOptimistic, limit: limit)
                    let composition = try TiltedComposition(
                        parts, interval: h, tilt: choice.tilt, guide: guide, limit: limit)
                    guard isOptimistic else { return composition.upperDelta(epsilon: epsilon) }
                    let shift = RoundingShift(parts, failureProbability: 1e-4 * guess)
                    let bound = composition.lowerDelta(epsilon: epsilon + shift.epsilon)
                    return max(0, bound - shift.failureProbability)
                } catch {
                    h = try coarser(h, after: error)
                }
            }
        }

        /// δ(ε) ≤ e^{K_T − θε}·max_y e^{−θy}(1 − e^{−y}) + P(L = ∞), where δ is too small for anything finer.
        private func chernoffDelta(
            _ model: LossModel, epsilon: Double, guide: CumulantGuide
        ) throws(AccountingError) -> Double {
            let theta = guide.choice(epsilon: epsilon).tilt
            var h = interval(
                model, order: 1 + theta, slope: max(1, theta), near: epsilon, isOptimistic: false)
            while true {
                do throws(AccountingError) {
                    let parts = try model.discretized(
                        interval: h, tail: 1e-300, isOptimistic: false,
                        limit: PrivacyLossDistributionAccountant.sizeLimit)
                    var (exponent, infinite) = (-theta * epsilon, 0.0)
                    for part in parts {
                        exponent += Double(part.count) * TiltedMoments.cumulant(part.loss, interval: h, tilt: theta)
                        infinite += Double(part.count) * part.loss.infinityMass
                    }
                    let bound = exp(exponent + 1e-9 + 1e-12 * model.steps) + infinite
                    return bound < 1 ? bound : 1
                } catch {
                    h = try coarser(h, after: error)
                }
            }
        }

        /// Twice the spacing when the grid was too large and its spacing ours to choose.
        private func coarser(_ h: Double, after error: AccountingError) throws(AccountingError) -> Double {
            guard case .tooLarge = error, h < 1e6 else { throw error }
            if case .interval = accountant.discretization { throw error }
            return 2 * h
        }

        /// The least δ that δ(ε) is resolved to.
        private static let leastDelta = 1e-250

        /// The grid spacing for a composition whose δ falls like e^{−(order − 1)ε}. `slope` turns an error of ε into
        /// the relative error that should stay below the aim.
        private func interval(
            _ model: LossModel, order: Double, slope: Double, near epsilon: Double, isOptimistic: Bool
        ) -> Double {
            typealias Accountant = PrivacyLossDistributionAccountant
            let wanted = (12 * Accountant.excess / (model.steps * order * slope)).squareRoot()
            // The formula takes the loss to be smooth at the scale of h, which few steps do not make it.
            let fine = min(wanted, 0.25 / order, max(2e-3, 1e-3 * epsilon))
            let upper =
                switch accountant.discretization {
                case .interval(let h): h
                case .fine: fine
                case .standard: max(fine, Accountant.customaryInterval)
                }
            // The twin's rounding costs more than connect-the-dots; half the spacing brings them closer.
            return isOptimistic ? upper / 2 : upper
        }
    }
}
