import Foundation

/// ε at δ and δ at ε of one direction of a composition of any losses, from one side, by ``CellLoss``.
struct CellQuery {
    private let model: LossModel
    private let side: LossModel.Side

    init(_ model: LossModel, side: LossModel.Side) { (self.model, self.side) = (model, side) }

    /// How much of δ may be left out of all steps on either side.
    private static let lostShare = 1e-6

    /// Roundings of more steps leave nothing proven.
    private static let mostSteps = 0x1p43

    /// An end of ε at δ > 0.
    func epsilon(delta: Double) -> Double {
        guard model.steps <= Self.mostSteps else { return side == .upper ? .infinity : 0 }
        let choice = CumulantGuide(model, tail: Self.lostShare * delta / model.steps).choice(delta: delta)
        let slope = max(choice.tilt, 1e-300)
        let shape = shape(slope: slope, spread: slope * choice.epsilon * 1.5e-4, near: choice.epsilon)
        return sum(tail: Self.lostShare * delta, shape).epsilon(delta: delta, side: side)
    }

    /// An end of δ at ε < ∞.
    func delta(epsilon: Double) -> Double {
        guard model.steps <= Self.mostSteps else { return side == .upper ? 1 : 0 }
        let guide = CumulantGuide(model, tail: 0)
        let logGuess = guide.logDelta(epsilon: epsilon, steps: model.steps)
        let nearby = guide.logDelta(epsilon: 0.9 * epsilon, steps: model.steps)
        let slope = epsilon > 0 ? max(1, (nearby - logGuess) / (0.1 * epsilon)) : 1
        let shape = shape(slope: slope, spread: 3e-3, near: epsilon)
        var guess = exp(logGuess)
        while true {
            let delta = sum(tail: Self.lostShare * guess, shape).delta(epsilon: epsilon, side: side)
            // Less than was guessed: what was left out may be what is left.
            guard delta < 1e-3 * guess, guess > 1e-290 else { return delta }
            guess = max(1e-290, min(delta, 1e-12 * guess))
        }
    }

    /// The distribution of the loss, down to 10⁻³⁰⁰, as a pair, and what costs everything beside it.
    func distribution() -> (pair: AtomicPair, infinityMass: Double) {
        guard model.steps <= Self.mostSteps else { return (.nothing, side == .upper ? 1 : 0) }
        let loss = sum(tail: 1e-300, shape(slope: 1, spread: 1e-4, near: 1))
        let atoms = loss.atoms
        // What is rounded up leaves less of Q. 10⁻¹² is more than the sum can be off.
        let rest = side == .upper ? max(0, 1 - atoms.reduce(0) { $0 + $1.q }) + 1e-12 : 0
        return (AtomicPair(atoms, lowest: rest), loss.infinityMass)
    }

    /// Cells for a δ(ε) that falls like e^{−`slope`·ε}, and is to be known up to a share of `spread`. What is spread
    /// over a cell of width h raises it by about (slope·h)²/12, and so does each of some log₂ T sums.
    private func shape(slope: Double, spread: Double, near epsilon: Double) -> CellShape {
        let sums = max(1, log2(model.steps))
        let widest = (12 * spread / sums).squareRoot() / slope
        return CellShape(
            fineness: 32 * max(1, 0.1 * sums).squareRoot(), widest: max(widest, epsilon / 1000), reach: 1.2 * epsilon)
    }

    /// The loss of all steps, without what has less than a share of `tail` of P.
    private func sum(tail: Double, _ shape: CellShape) -> CellLoss {
        // Each mechanism's steps lose once, and so does each of at most 2·log₂ T sums.
        let share = max(1e-305, tail / (model.steps * 8))
        var total: CellLoss?
        for component in model.components {
            let parts = component.parts.filter { $0.weight > 0 }.map {
                ($0.weight, CellLoss($0.pair, side: side, tail: share, shape: shape))
            }
            let one = CellLoss.mixture(parts, infinityMass: side == .upper ? component.infinityMass : 0)
            let all = one.times(component.count, side: side, tail: share)
            total = total.map { $0.adding(all, side: side, tail: share) } ?? all
        }
        return total!
    }
}
