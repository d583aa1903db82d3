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
            var result = 0.0
            for model in isOptimistic ? lower : upper {
                result = try max(result, epsilon(model, delta: delta, isOptimistic: isOptimistic))
            }
            return min(pure, result)
        }

        func delta(epsilon: Double, isOptimistic: Bool) throws(AccountingError) -> Double {
            if let mu = gaussianMu {
                let error = isOptimistic ? Self.closedFormError : -Self.closedFormError
                let delta = GaussianDifferentialPrivacy.delta(epsilon: epsilon + error * epsilon, mu: mu)
                if mu == 0 || epsilon == .infinity { return delta }
                // Below 10⁻³⁰⁰ a density in Float64 has no relative accuracy left.
                return isOptimistic
                    ? (delta < TiltedComposition.leastDelta ? 0 : delta - error * delta)
                    : min(1, max(TiltedComposition.leastDelta, delta - error * delta))
            }
            if epsilon >= pureEpsilon(isOptimistic: isOptimistic) { return 0 }
            var result = 0.0
            for model in isOptimistic ? lower : upper {
                result = try max(result, self.delta(model, epsilon: epsilon, isOptimistic: isOptimistic))
            }
            return result
        }

        /// A bound on the relative errors of ε and of δ in closed form: 10⁻⁹ for δ, less for ε and for μ.
        private static let closedFormError = 2e-9

        /// ε at δ = 0: the largest loss, rounded down or up.
        private func pureEpsilon(isOptimistic: Bool) -> Double {
            LossModel.largestLoss(phases, relation: accountant.relation, side: isOptimistic ? .lower : .upper)
        }

        private func epsilon(_ model: LossModel, delta: Double, isOptimistic: Bool) throws(AccountingError) -> Double {
            let tail = max(1e-300, 1e-8 * delta / model.steps)
            let guide = CumulantGuide(model, tail: tail)
            let choice = guide.choice(delta: delta)
            let aim = max(choice.epsilon, 1e-12)
            var h = interval(model, order: 1 + choice.tilt, slope: 1 / aim, near: aim, isOptimistic: isOptimistic)
            var isCoarsened = false
            var best = isOptimistic ? 0 : Double.infinity
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
                // Each grid's end is proven.
                best = isOptimistic ? max(best, answer.epsilon) : min(best, answer.epsilon)
                // Where rare large losses share δ with many small ones, the order that the guide saw belongs to the
                // former. The slope of δ at the answer tells; refine once it shows the grid to be too coarse.
                let better = interval(
                    model, order: 1 + answer.slope, slope: 1 / max(answer.epsilon, 0.05 * aim), near: aim,
                    isOptimistic: isOptimistic)
                if isOptimistic || isCoarsened || better > 0.7 * h { return best }
                h = better
            }
        }

        private func epsilon(
            _ model: LossModel, guide: CumulantGuide, tilt: Double, tail: Double, delta: Double,
            interval h: Double, isOptimistic: Bool
        ) throws(AccountingError) -> (epsilon: Double, slope: Double) {
            let parts = try model.discretized(
                interval: h, tail: tail, isOptimistic: isOptimistic,
                limit: PrivacyLossDistributionAccountant.sizeLimit)
            let shift = RoundingShift(parts, failureProbability: 1e-3 * delta)
            let best = try searchTilt(parts, from: tilt, interval: h, guide: guide, isOptimistic: isOptimistic) {
                isOptimistic
                    ? $0.lowerEpsilon(delta: delta + shift.failureProbability) : $0.upperEpsilon(delta: delta)
            }
            return (isOptimistic ? max(0, best.value - shift.epsilon) : best.value, best.slope)
        }

        /// The best of what the windows of a ``TiltSearch`` prove: the least upper end, or the greatest lower end.
        private func searchTilt(
            _ parts: [TiltedComposition.Part], from tilt: Double, interval h: Double, guide: CumulantGuide,
            isOptimistic: Bool, ask: (TiltedComposition) -> TiltedComposition.Finding
        ) throws(AccountingError) -> TiltedComposition.Finding {
            // A grid so coarse that rounding has taken all mass proves nothing.
            guard parts.allSatisfy({ $0.loss.masses.contains { $0 > 0 } }) else {
                return TiltedComposition.Finding(value: isOptimistic ? 0 : .infinity, slope: 0, place: .inside)
            }
            var search = TiltSearch(tilt, interval: h)
            var best: TiltedComposition.Finding?
            while !search.isDone {
                let composition: TiltedComposition
                do throws(AccountingError) {
                    composition = try TiltedComposition(
                        parts, interval: h, tilt: search.tilt, guide: guide,
                        limit: PrivacyLossDistributionAccountant.sizeLimit)
                } catch {
                    // What an earlier window has proven stands.
                    guard let best else { throw error }
                    return best
                }
                let finding = ask(composition)
                let isBetter = best.map { isOptimistic ? finding.value > $0.value : finding.value < $0.value } ?? true
                if isBetter { best = finding }
                search.learn(finding.place, isBetter: isBetter || isOptimistic)
            }
            return best!
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
                    let shift = RoundingShift(parts, failureProbability: 1e-4 * guess)
                    let best = try searchTilt(
                        parts, from: choice.tilt, interval: h, guide: guide, isOptimistic: isOptimistic
                    ) {
                        isOptimistic
                            ? $0.lowerDelta(epsilon: epsilon + shift.epsilon) : $0.upperDelta(epsilon: epsilon)
                    }
                    return isOptimistic ? max(0, best.value - shift.failureProbability) : min(1, best.value)
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
                    let rounding = TiltedMoments.logError(parts, interval: h, tilt: theta) + 0x1p-50 * theta * epsilon
                    let bound = exp(exponent + rounding) + infinite * (1 + 1e-9)
                    return bound < 1 ? max(bound, TiltedComposition.leastDelta) : 1
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
